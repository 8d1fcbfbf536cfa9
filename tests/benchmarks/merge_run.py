# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a run, writes its reports and seals it; with a directory of parts, after it took these in. Without Ansible."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.checks import Expected
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.merge_parts import merge_parts
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.part import InventoryNames
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports

if __name__ == "__main__":
    run = RunDirectory(Path(sys.argv[1]))
    now = dt.datetime(2026, 11, 20, 12, 30, tzinfo=dt.UTC)
    if sys.argv[2:]:
        asked = run.read_run()
        expected = Expected("bench", InventoryNames({"all": asked["hosts"]}), asked, now, 86400)
        merged = merge_parts(run, [Path(sys.argv[2])], expected)
        assert not merged.gaps, merged.gaps
        assert not merged.without_part, merged.without_part
    judge_run(run)
    results = read_results(run.results)
    for name, chunks in reports(results):
        run.write_file(name, chunks)
    seal(run, results, now)
