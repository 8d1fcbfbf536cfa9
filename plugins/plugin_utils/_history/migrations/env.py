# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Alembic runs for each upgrade, in the transaction that it is given. Private to the collection."""

from __future__ import annotations

import contextlib

with contextlib.suppress(ImportError):  # schema_version.py runs this, and has it
    from alembic import context

VERSION_TABLE = "vigil_version"


def upgrade() -> None:
    """Runs the migrations that are due."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transactional_ddl=True, version_table=VERSION_TABLE)
    context.run_migrations()


if __name__ == "env_py":  # as Alembic names this file when it loads it; whoever imports it only looks
    upgrade()
