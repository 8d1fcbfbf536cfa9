# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the run directory that is named, and writes its results and reports: what the stages do, without Ansible."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.to_relist import to_relist
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports

if __name__ == "__main__":
    run = RunDirectory(Path(sys.argv[1]))
    to_relist(run)
    judge_run(run)
    for name, chunks in reports(read_results(run.results)):
        run.write_file(name, chunks)
