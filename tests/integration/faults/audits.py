# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audits of a few hosts that take seconds: one vantage point, known ports, no versions."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet import playbook

Json = dict[str, Any]

#: Without a fault an audit of ``web1`` from here passes.
QUICK: Json = {
    "audit_scan_depth": "known",
    "audit_scan_versions": False,
    "vigil_vantages": [{"name": "office", "scanners": ["scan-office"]}],
}


@dataclasses.dataclass(frozen=True)
class Audit:
    """A playbook that ended."""

    exit_status: int
    output: str
    report_dir: Path

    @property
    def run(self) -> Path:
        """The directory of the last complete run; of a what-if run, which never becomes the latest, its own."""
        latest = self.report_dir / "latest"
        sealed = sorted(self.report_dir.glob("2*/manifest.json"))
        return latest if latest.exists() or not sealed else sealed[-1].parent

    def results(self) -> Json:
        """``results.json`` of the last complete run."""
        found: Json = json.loads((self.run / "results.json").read_text(encoding="utf-8"))
        return found


class Auditing:
    """Audits into one report directory. Called, it runs one; ``begun`` gives one that runs, to disturb it.

    ``hosts`` is ``audit_hosts``; ``host_vars`` are laid over those of the inventory; ``arguments`` are further ones of
    ansible-playbook, ``around`` what runs it, ``play`` and ``inventory`` others than the fleet's; all else are extra
    variables.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report_dir = folder / "reports"

    def __call__(
        self,
        hosts: str = "web1",
        *,
        host_vars: Mapping[str, Json] | None = None,
        arguments: Sequence[str] = (),
        around: Sequence[str] = (),
        play: str = "vigil.ports.audit",
        inventory: Path = playbook.INVENTORY,
        **variables: Any,
    ) -> Audit:
        with self.begun(
            hosts,
            host_vars=host_vars,
            arguments=arguments,
            around=around,
            play=play,
            inventory=inventory,
            **variables,
        ) as started:
            return self.ended(started)

    @contextlib.contextmanager
    def begun(
        self,
        hosts: str = "web1",
        *,
        host_vars: Mapping[str, Json] | None = None,
        arguments: Sequence[str] = (),
        around: Sequence[str] = (),
        play: str = "vigil.ports.audit",
        inventory: Path = playbook.INVENTORY,
        **variables: Any,
    ) -> Iterator[subprocess.Popen[str]]:
        """The audit as it runs; what is left of it at the end of the block is ended."""
        overlay = self.folder / "overlay.json"
        named = {f"overlay_{name}": {"hosts": {name: values}} for name, values in (host_vars or {}).items()}
        overlay.write_text(json.dumps({"all": {"children": named}}), encoding="utf-8")
        extra = {**QUICK, "audit_hosts": hosts, "audit_report_dir": str(self.report_dir), **variables}
        given = ("-i", str(overlay), "-e", json.dumps(extra), *arguments)
        with playbook.start(play, *given, around=around, inventory=inventory) as started:
            try:
                yield started
            finally:
                if started.poll() is None:
                    started.kill()

    def ended(self, started: subprocess.Popen[str], seconds: float = 300) -> Audit:
        """Waits for the end of an audit that was begun."""
        output, _errors = started.communicate(timeout=seconds)
        return Audit(started.returncode, output, self.report_dir)
