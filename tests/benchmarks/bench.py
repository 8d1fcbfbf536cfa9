# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks share: both sides timed in turn in one run, medians, and a row of Markdown.

A benchmark is a file ``bench_<what>.py`` here that ends in ``bench.main(rows)``, where ``rows`` yields a ``Row`` for
each piece of work. It runs alone (``python tests/benchmarks/bench_listing.py``) or with all others: started as a
program, this file runs each of them in a process of its own, and prints one table. Nothing is written unless
``--write`` names a page with the two marks.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib.metadata
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

HEADER = "| work | against | times | ratio | reach | command |\n|---|---|---|---|---|---|"
_BEGIN, _END = "<!-- table: begin -->", "<!-- table: end -->"
_INSIDE = "VIGIL_BENCH_INSIDE"
_FOLDER = Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Row:
    """``figure`` is what is held against ``reach``: a ratio, or a number of ``unit``. None: could not be run here."""

    work: str
    against: str
    figure: float | None
    reach: float
    times: str  # both sides, for people; or why it could not be run
    command: str
    unit: str = ""

    def markdown(self) -> str:
        reach = f"≤ {self.reach:g}{self.unit}"
        if self.figure is None:
            return _line(self.work, self.against, self.times, "not run", reach, f"`{self.command}`")
        shown = f"{self.figure:.3g}{self.unit}"
        figure = shown if self.figure <= self.reach else f"**{shown}**"
        return _line(self.work, self.against, self.times, figure, reach, f"`{self.command}`")


@dataclasses.dataclass(frozen=True)
class Pair:
    """Seconds of both sides, round by round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of the rounds' own ratios: what slows the machine for a while slows both sides of a round."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True))

    @property
    def times(self) -> str:
        return f"{seconds(statistics.median(self.ours))} / {seconds(statistics.median(self.theirs))}"


def in_turn(ours: Callable[[], object], theirs: Callable[[], object], rounds: int, warm_up: int = 1) -> Pair:
    """Both sides ``rounds`` times, one after the other, each round beginning with the other side than the last."""
    for _round in range(warm_up):
        ours()
        theirs()
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds):
        for is_ours in (True, False) if number % 2 == 0 else (False, True):
            times[is_ours].append(timed(ours if is_ours else theirs))
    return Pair(tuple(times[True]), tuple(times[False]))


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def program(argv: Sequence[str], **options: object) -> Callable[[], None]:
    """A whole process as a side: started, its output read, its status looked at."""

    def run() -> None:
        done = subprocess.run(argv, capture_output=True, check=False, **options)  # type: ignore[call-overload]
        if done.returncode != 0:
            raise SystemExit(f"{argv[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")

    return run


def seconds(value: float) -> str:
    if value >= 10:
        return f"{value:.0f} s"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def inside_namespaces(program: Path, **environment: str) -> int:
    """Runs ``program`` again in new network, process and mount namespaces, which end with it; its exit status."""
    if os.geteuid() != 0:
        raise SystemExit("needs root: it makes namespaces")
    namespaces = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount")
    argv = (*namespaces, sys.executable, str(program))
    return subprocess.run(argv, env={**os.environ, _INSIDE: "yes", **environment}, check=False).returncode


def is_inside() -> bool:
    return _INSIDE in os.environ


def machine() -> str:
    """Processors, memory, kernel and versions: what a reader needs to compare with their own, and no names."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    versions = [f"Python {platform.python_version()}", f"ansible-core {importlib.metadata.version('ansible-core')}"]
    for argv in (("ss", "-V"), ("nmap", "--version")):
        with contextlib.suppress(OSError):
            said = subprocess.run(argv, capture_output=True, check=False, text=True).stdout
            versions += re.findall(r"iproute2-[0-9.]+|Nmap version [0-9.]+", said)[:1]
    kernel = os.uname().release.split("-")[0]
    return f"{os.cpu_count()} CPUs, {memory:.0f} GiB, Linux {kernel}, {', '.join(versions)}"


def main(rows: Callable[[], Iterable[Row]]) -> None:
    """Prints the rows of one benchmark, with a header when a person looks."""
    if sys.stdout.isatty():
        print(HEADER)
    for row in rows():
        print(row.markdown(), flush=True)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _all_rows(names: Sequence[str]) -> Iterator[str]:
    files = sorted(_FOLDER.glob("bench_*.py"))
    unknown = set(names) - {file.stem.partition("_")[2] for file in files}
    if unknown:
        raise SystemExit(f"no benchmark named {', '.join(sorted(unknown))}")
    for file in files:
        if names and file.stem.partition("_")[2] not in names:
            continue
        with subprocess.Popen([sys.executable, str(file)], stdout=subprocess.PIPE, text=True) as started:
            assert started.stdout is not None
            yield from (line.rstrip("\n") for line in started.stdout if line.startswith("| "))
        if started.returncode != 0:
            raise SystemExit(f"{file.name} ended with {started.returncode}")


def _put_into(page: Path, table: str) -> None:
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _old, end, after = rest.partition(_END)
    if not (begin and end):
        raise SystemExit(f"{page} has no place for the table: {_BEGIN} and {_END}")
    page.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")


def _run_all() -> None:
    parser = argparse.ArgumentParser(description="Run the benchmarks, and print one table.")
    parser.add_argument("names", nargs="*", help="those to run, for example: listing; all when none is named")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    options = parser.parse_args()
    lines = [f"{machine()}.", "", *HEADER.splitlines()]
    print("\n".join(lines), flush=True)
    for line in _all_rows(options.names):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        _put_into(options.write, "\n".join(lines))


if __name__ == "__main__":
    _run_all()
