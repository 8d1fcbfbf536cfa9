# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run taken up again at a later stage, after something happened to its directory."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fleet import playbook

from faults.audits import Audit

Json = dict[str, Any]

JUDGE = ("audit", "report", "gate")
MADE = ("results.json", "report.html", "junit.xml", "report.md", "summary.md", "ways-out.md", "manifest.json")


def play(folder: Path, *tasks: Json, hosts: str = "web1", **more: Any) -> str:
    """A playbook of one's own with one play."""
    path = folder / "own.json"
    path.write_text(
        json.dumps([{"hosts": hosts, "gather_facts": False, "tasks": list(tasks), **more}]), encoding="utf-8"
    )
    return str(path)


def role(stage: str) -> Json:
    """A part of the role."""
    return {"name": stage, "ansible.builtin.include_role": {"name": "vigil.ports.audit", "tasks_from": stage}}


def gathered(complete: Path, report_dir: Path) -> Path:
    """A copy of a complete run as it was before it was judged, in another report directory."""
    run = report_dir / complete.resolve().name
    shutil.copytree(complete.resolve(), run)
    for name in (*MADE, "evidence/seal.json"):
        (run / name).unlink()
    return run


def judged(folder: Path, run: Path, stages: Sequence[str] = JUDGE, *, around: Sequence[str] = ()) -> Audit:
    """The run after these stages, done on the control node by actions of the collection."""
    tasks = [{"name": stage, f"vigil.ports.{stage}": {"run_dir": str(run)}} for stage in stages]
    path = play(folder, *tasks, hosts="localhost", connection="local")
    with playbook.start(path, around=around) as started:
        output, _errors = started.communicate(timeout=120)
    return Audit(started.returncode, output, run.parent)


@contextlib.contextmanager
def small_disk(path: Path, *, size: int = 1 << 22, inodes: int = 1000) -> Iterator[Path]:
    """A file system of its own at ``path``."""
    path.mkdir(parents=True, exist_ok=True)
    options = f"size={size},nr_inodes={inodes},mode=0700"
    subprocess.run(("mount", "-t", "tmpfs", "-o", options, "vigil-faults", str(path)), check=True)
    try:
        yield path
    finally:
        subprocess.run(("umount", "--lazy", str(path)), check=False, capture_output=True)


def fill(disk: Path, leave: int) -> None:
    """Leaves so many blocks of 4 KiB free on a small disk."""
    free = shutil.disk_usage(disk).free - leave * 4096
    assert free >= 0
    with (disk / "ballast").open("wb") as ballast:
        ballast.write(bytes(free))


def blocks(*files: Path) -> int:
    """Blocks of 4 KiB that files take."""
    return sum(-(-path.stat().st_size // 4096) for path in files)
