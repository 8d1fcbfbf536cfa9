# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a program of the host and read what it says. This module is private to the collection."""

from __future__ import annotations

# No module is at hand here: run_command is the door's.
# pylint: disable=ansible-bad-function
import os
from typing import Callable, NamedTuple, Sequence


class Answer(NamedTuple):
    status: int
    output: bytes
    errors: bytes


class ProgramError(Exception):
    """A program that is not there, cannot be started, or does not end."""


Runner = Callable[[Sequence[str]], Answer]
_TIMEOUT = 60.0


def run(argv: Sequence[str]) -> Answer:
    """Runs ``argv`` without a shell, in the C locale, with no input. Raises ProgramError."""
    import subprocess  # only here: most looks start no program

    try:
        done = subprocess.run(  # noqa: S603  # an argument list, and paths only behind "--"
            list(argv),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C", "LANGUAGE": "C"},
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramError(f"{argv[0]} did not end within {_TIMEOUT:.0f} s") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        raise ProgramError(f"{argv[0]}: {error}") from error
    return Answer(done.returncode, done.stdout, done.stderr)
