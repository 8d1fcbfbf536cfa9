# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of rpm packages, against rpm itself: 2,000 generated pairs in one process of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.versions.compare import compare
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils._risk.generated_versions import RPM, pairs

_ORACLE = """for line in io.lines("{}") do
    local left, right = string.match(line, "^(%S+) (%S+)$")
    print(rpm.vercmp(left, right) .. " ")
end
"""


def test_a_pair_is_ordered_as_rpm_orders_it(tmp_path: Path) -> None:
    if shutil.which("rpm") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("rpm is not installed")
    generated = list(pairs(RPM, 2000, seed=2))
    file = tmp_path / "pairs"
    file.write_text("".join(f"{left} {right}\n" for left, right in generated))
    script = tmp_path / "compare.lua"
    script.write_text(_ORACLE.format(file))
    said = subprocess.run(
        ["rpm", "--eval", f'%{{lua: dofile("{script}")}}'], capture_output=True, text=True, check=True
    ).stdout.split()
    differ = [
        (left, right, ours, int(theirs))
        for (left, right), theirs in zip(generated, said, strict=True)
        if (ours := compare("rpm", left, right)) != int(theirs)
    ]
    assert differ == []
    assert set(said) == {"-1", "0", "1"}
