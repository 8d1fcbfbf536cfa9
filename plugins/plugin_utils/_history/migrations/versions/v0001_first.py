# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first tables. This module is private to the collection."""

from __future__ import annotations

import contextlib

with contextlib.suppress(ImportError):  # schema_version.py runs this, and has both
    import sqlalchemy as sa
    from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes every table."""
    op.create_table(
        "vigil_runs",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("started", sa.Text, nullable=False),
        sa.Column("finished", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("audit_date", sa.Text, nullable=False),
        sa.Column("limited", sa.Text),
        sa.Column("controller", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("hosts", sa.Integer, nullable=False),
        sa.Column("assessed", sa.Integer, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("declarations", sa.Text, nullable=False),
        sa.Column("tree", sa.Text, nullable=False),
    )
    op.create_index("ix_vigil_runs_started", "vigil_runs", ["started"])
    op.create_table(
        "vigil_objects",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "vigil_beliefs",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "vigil_bases",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "vigil_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("started", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("vantage", sa.Text),
        sa.Column("namespace", sa.Text),
        sa.Column("protocol", sa.Text),
        sa.Column("port", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("finding", sa.Text),
        sa.Column("rule", sa.Text),
        sa.Column("severity", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("since", sa.Text),
        sa.Column("entry", sa.Text),
    )
    op.create_index("ix_vigil_changes_run_id", "vigil_changes", ["run_id"])
    op.create_index("ix_vigil_changes_finding", "vigil_changes", ["finding"])
    op.create_index("ix_vigil_changes_host_started", "vigil_changes", ["host", "started"])
    op.create_index("ix_vigil_changes_port", "vigil_changes", ["port"])
    op.create_table(
        "vigil_marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
