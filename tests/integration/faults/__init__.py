# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault table: what goes wrong, really caused, and what the tool says of it.

An entry is a test under ``@fault(...)`` in a file ``test_faults_<area>.py``: it causes the fault, audits, and hands the
run to ``told``, which holds it against what the entry says: the status in ``results.json``, the case in ``junit.xml``,
the line in ``report.md``, and the exit status. ``.ci/render-faults`` makes the table of ``docs/trust.md`` from the
entries, so the page says nothing that no test has seen.
"""
