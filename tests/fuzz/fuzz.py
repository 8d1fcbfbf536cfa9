# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for inputs that break a parser, led by the code that they reach (atheris, which is libFuzzer for Python).

    fuzz.py [--seconds N] [TARGET ...]   each target for N seconds; all of them without a name
    fuzz.py --replay FILE TARGET         one input again, with its traceback
    fuzz.py --keep FILE TARGET           the input goes into the corpus, which `make test` replays from then on

What is made lies in .cache/fuzz/TARGET: the inputs that reached something new, and crash-*, timeout-* and oom-* files.
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.tests.fuzz.corpus_files import save, saved

HERE = Path(__file__).resolve().parent
WORK = HERE.parents[1] / ".cache" / "fuzz"
TARGETS = sorted(path.stem for path in (HERE / "targets").glob("*.py") if path.stem != "pieces")
WATCHED = ["ansible_collections.vigil.ports.plugins", "nmap"]
LIMITS = ["-timeout=25", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1"]
_PROGRESS = re.compile(r"^#\d+\s.*\bcov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)
_EXECUTIONS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_FOUND = ("crash-*", "timeout-*", "oom-*")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--replay", type=Path)
    options.add_argument("--keep", type=Path)
    options.add_argument("--child", help=argparse.SUPPRESS)
    given = options.parse_args()
    unknown = sorted({*given.targets} - {*TARGETS})
    if unknown or ((given.replay or given.keep) and len(given.targets) != 1):
        options.error(f"no such target: {', '.join(unknown)}" if unknown else "name the one target of the file")
    if given.replay:
        _target(given.targets[0])(given.replay.read_bytes())
        print(f"{given.targets[0]} holds for {given.replay}")
        return 0
    if given.keep:
        print(save(given.targets[0], given.keep.name, given.keep.read_bytes()))
        return 0
    if given.child:
        return _fuzz(given.child, given.seconds)
    return _all(given.targets or TARGETS, given.seconds)


def _target(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.vigil.ports.tests.fuzz.targets.{name}").target


def _fuzz(name: str, seconds: int) -> int:
    try:
        import atheris
    except ImportError as error:
        print(
            f"atheris cannot be imported ({error}). It has wheels for some Pythons only (https://pypi.org/project/atheris);"
            f" this one is {sys.version.split()[0]}. `make test` runs the same targets with hypothesis.",
            file=sys.stderr,
        )
        return 2
    folder = WORK / name
    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for file, content in saved(name).items():
        (inputs / f"saved-{file}").write_bytes(content)
    with atheris.instrument_imports(include=WATCHED):
        target = _target(name)
    place = [f"-artifact_prefix={folder}/", f"-max_total_time={seconds}", str(inputs)]
    atheris.Setup([sys.argv[0], *LIMITS, *place], target)
    atheris.Fuzz()  # ends the process
    return 0


def _all(names: list[str], seconds: int) -> int:
    print(f"{'target':<16}{'executions':>12}{'edges':>8}{'features':>10}{'inputs':>8}  found")
    worst = 0
    for name in names:
        before = _found(name)
        command = [sys.executable, __file__, "--child", name, "--seconds", str(seconds)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        progress = _PROGRESS.findall(done.stderr)
        if not progress:
            print(done.stderr[-4000:], file=sys.stderr)
            return done.returncode or 1
        edges, features, inputs = progress[-1]
        executions = _EXECUTIONS.search(done.stderr)
        new = sorted(_found(name) - before)
        count = executions.group(1) if executions else "?"
        print(f"{name:<16}{count:>12}{edges:>8}{features:>10}{inputs:>8}  {len(new)}", flush=True)
        if new or done.returncode:
            worst = 1
            told = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(("#", "INFO:"))]
            print("\n".join(line[:300] for line in told[-60:]))
        for path in new:
            print(f'again: make fuzz ARGS="--replay {path} {name}"')
    return worst


def _found(name: str) -> set[Path]:
    return {path for pattern in _FOUND for path in (WORK / name).glob(pattern)}


if __name__ == "__main__":
    sys.exit(main())
