# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``results.json`` as somebody left it: read to its last row, or refused with the file's name."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results


def target(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "results.json")
        path.write_bytes(data)
        try:
            results = read_results(path)
            hosts, findings = list(results["hosts"]), list(results["findings"])
        except EvidenceError:
            return
    assert all(isinstance(row, dict) for row in [*hosts, *findings])
