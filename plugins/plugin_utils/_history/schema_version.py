# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations, run by the code: there is nothing to be done by hand. This module is private to the collection."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from .migrations.env import VERSION_TABLE

with contextlib.suppress(ImportError):  # store.py asks tables.py first, and both come together
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from .store import History

_MIGRATIONS = Path(__file__).resolve().with_name("migrations")


def bring_up_to_date(history: History) -> None:
    """Makes the tables, or changes those of an earlier version. Raises HistoryError, also for those of a newer one."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    newest = scripts.get_current_head()
    with history.reading() as connection:
        found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    if found is not None and found not in known:
        raise history.error(
            f"made by a newer version of the collection (its tables are {found}, this version knows up to {newest})",
            "use that version, or another database",
        )
    if found == newest:
        return
    with history.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
