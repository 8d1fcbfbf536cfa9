# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a verification says. This module is private to the collection."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

from .._reports.terminal_text import terminal_text


class Problem(NamedTuple):
    """Something that is not as it was sealed: the file by its name in the run directory, and what is wrong with it."""

    file: str
    message: str


#: A problem, or as plain text something that has to be known besides.
Said = Problem | str


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """Every problem that was found, and what has to be known besides; ``files`` is how many the manifest names."""

    run_id: str
    files: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """The verdict for a terminal or a CI log: ASCII, no control characters."""
        yield f"Verification {terminal_text(self.sentence())}"
        for problem in self.problems:
            yield f"  {terminal_text(problem.file)}: {terminal_text(problem.message)}"
        for note in self.notes:
            yield f"  note: {terminal_text(note)}"

    def sentence(self) -> str:
        if self.problems:
            count = len(self.problems)
            return f"FAILED: run {self.run_id}: {count} problem{'' if count == 1 else 's'}."
        return f"PASSED: run {self.run_id}: {self.files} files are as they were sealed, and come out the same again."
