# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From layers of proposals to changes of files. This module is private to the collection."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._reports.entry_yaml import variable_lines
from .patch import FileChange
from .proposals import folded
from .variables_file import NoFileError, variables_file
from .yaml_file import CannotKeepError, with_entries

_COMMENT = """\
Proposed by vigil.ports.baseline from {source}; nobody has approved it, and an audit reports it as unapproved.
Fill in justification and owner, then move each entry to a layer of another name: that is the approval.
Delete what is not to be."""


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """A layer that was not written: for whom, why with the way out, and what is to be put there by hand."""

    name: str
    why: str
    text: str


def file_changes(
    layers: Iterable[tuple[str, str, str, Sequence[Mapping[str, Any]]]], directory: Path, source: str
) -> tuple[list[FileChange], list[Refusal]]:
    """The changes that add the layers (see ``lifting.layers``) to the inventory's files, and what was refused.

    Reads the files; raises OSError as the file system does.
    """
    changes: list[FileChange] = []
    refused: list[Refusal] = []
    for kind, name, variable, entries in layers:
        ready = folded(entries)
        text = "\n".join(variable_lines(variable, ready))
        try:
            path = variables_file(directory, kind, name)
        except NoFileError as error:
            refused.append(Refusal(f"{kind} {name}", f"{error}: put the entries into a file of yours", text))
            continue
        before = path.read_bytes() if path.exists() else None
        try:
            after = with_entries(before or b"", variable, ready, _COMMENT.format(source=source))
        except CannotKeepError as error:
            refused.append(Refusal(str(path), f"{error}; {_way_out(path, directory, name)}", text))
            continue
        changes.append(FileChange(path, before, after))
    return changes, refused


def _way_out(path: Path, directory: Path, name: str) -> str:
    """Ansible would not read a file beside it, so the way is a directory in its place."""
    folder = path.parent / name if path.parent.name.endswith("_vars") else path.parent
    if path.parent.parent != directory:
        return "put the entries there by hand, or delete it"
    return f"put the entries there by hand, or make {folder}/ a directory, move the file into it and run again"
