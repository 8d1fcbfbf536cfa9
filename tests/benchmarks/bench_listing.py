# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing a busy host, as whole processes, against ``ss -tulnp`` on the same host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bench
import busy_host

ROUNDS = 15
COMMAND = "tests/benchmarks/bench_listing.py"
REACH = {"unit": 0.15, "first": 0.3, "all": 0.8}
WORK = {"unit": "listing with units", "first": "listing with the first owner", "all": "listing with all owners"}
# That of the host, as Ansible would take it, and not that of the tests: they differ in what starts with them.
PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
LISTING = Path(__file__).with_name("listing.py")


def rows() -> Iterator[bench.Row]:
    theirs = f"`ss -tulnp`, {busy_host.ESTABLISHED} connections, {busy_host.LISTENERS} listeners"
    if shutil.which("ss") is None:
        raise SystemExit("ss is not installed")
    busy_host.plant()
    for owners, reach in REACH.items():
        argv = (PYTHON, str(LISTING), owners)
        _is_right(owners, subprocess.run(argv, capture_output=True, check=True).stdout)
        if owners == "unit" and not busy_host.has_units():
            yield bench.Row(WORK[owners], theirs, None, reach, "no cgroup v2 can be made here", COMMAND)
            continue
        pair = bench.in_turn(bench.program(argv), bench.program(("ss", "-tulnp")), ROUNDS)
        yield bench.Row(WORK[owners], theirs, pair.ratio, reach, pair.times, COMMAND)


def _is_right(owners: str, output: bytes) -> None:
    """A fast answer that is wrong is worth nothing."""
    listeners = json.loads(output)["listeners"]
    ports = [row["port"] for row in listeners]
    expected = list(range(busy_host.FIRST_PORT, busy_host.FIRST_PORT + busy_host.LISTENERS))
    named = all(len(row["owners"]) == (owners != "unit") for row in listeners)
    in_units = not busy_host.has_units() or all(
        row["unit"] == f"unit{row['port'] - busy_host.FIRST_PORT}.service" for row in listeners
    )
    if ports != expected or not named or not in_units:
        raise SystemExit(f"the listing with owners={owners} is not what was planted")


def _measured() -> Iterator[bench.Row]:
    """With its modules compiled, as those of an installed program are; the first run compiles them."""
    with tempfile.TemporaryDirectory() as compiled:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = compiled
        yield from rows()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).resolve().parents[2] / ".cache" / "tree"))
    if bench.is_inside():
        bench.main(_measured)
    else:
        sys.exit(busy_host.inside_a_host_of_its_own(Path(__file__)))
