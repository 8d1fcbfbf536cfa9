# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the database. ``migrations/`` makes them; this is what the code asks them by.

What each run saw is kept in ``objects`` under digests of their content, so that a host that did not change
adds nothing, and the order in which runs are recorded does not matter: ``runs.tree`` names an object
that names one for each group of hosts, and that one for each host (as git keeps folders). ``beliefs``
and ``changes`` are made from that, run after run, and could be made again.
Names begin with ``vigil_``: teams have other tables in their databases. This module is private to
the collection.
"""

from __future__ import annotations

try:
    import alembic  # noqa: F401 # pylint: disable=unused-import # schema_version.py takes it by its parts
    import sqlalchemy as sa
except ImportError as error:
    SQLALCHEMY_IMPORT_ERROR: ImportError | None = error
else:
    SQLALCHEMY_IMPORT_ERROR = None

if SQLALCHEMY_IMPORT_ERROR is None:
    METADATA = sa.MetaData()

    RUNS = sa.Table(
        "vigil_runs",
        METADATA,
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("started", sa.Text, nullable=False, index=True),
        sa.Column("finished", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("audit_date", sa.Text, nullable=False),
        sa.Column("limited", sa.Text),
        sa.Column("controller", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("hosts", sa.Integer, nullable=False),
        sa.Column("assessed", sa.Integer, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),  # JSON, as in the results
        sa.Column("declarations", sa.Text, nullable=False),  # digest over those of all hosts
        sa.Column("tree", sa.Text, nullable=False),
    )

    OBJECTS = sa.Table(
        "vigil_objects",
        METADATA,
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),  # JSON, compressed
    )

    #: The last that is known of each host; ``state`` is the digest of what was folded in last.
    BELIEFS = sa.Table(
        "vigil_beliefs",
        METADATA,
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )

    #: What was believed of each host after the last run that retention has taken away.
    BASES = sa.Table(
        "vigil_bases",
        METADATA,
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )

    CHANGES = sa.Table(
        "vigil_changes",
        METADATA,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False, index=True),
        sa.Column("started", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("vantage", sa.Text),
        sa.Column("namespace", sa.Text),
        sa.Column("protocol", sa.Text),
        sa.Column("port", sa.Text),  # a number, or a declared range
        sa.Column("address", sa.Text),
        sa.Column("finding", sa.Text, index=True),
        sa.Column("rule", sa.Text),
        sa.Column("severity", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("since", sa.Text),
        sa.Column("entry", sa.Text),  # JSON: what was believed before
        sa.Index("ix_vigil_changes_host_started", "host", "started"),
        sa.Index("ix_vigil_changes_port", "port"),
    )

    #: Single values: ``base``, the order of the last run that retention has taken away.
    MARKS = sa.Table(
        "vigil_marks",
        METADATA,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
