# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which package owns a path, by dpkg's own files, of which few have to be read.

dpkg-query reads all of them for one question, which takes longer than the rest of a look at a host. It is still
asked where these files alone do not tell (``NotToldError``).
Sources: dpkg(1), dpkg-divert(1), doc/triggers and lib/dpkg of dpkg. This module is private to the collection.
"""

from __future__ import annotations

import os
from typing import Iterable, Mapping, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import Package

_LIST = ".list"
_FEW = 8
_ALIKE = 3  # so many first letters of a program are in most names of the packages that have it


class NotToldError(Exception):
    """dpkg-query has to be asked: an update is not merged yet, a path is diverted, or the files are not understood."""


def owning_packages(folder: str, names: Mapping[bytes, Iterable[str]]) -> dict[bytes, Package]:
    """The package that lists each path under one of its ``names``; one that none lists is left out.

    Raises NotToldError, and OSError.
    """
    paths: dict[bytes, set[bytes]] = {}  # by each of their names
    for path, some in names.items():
        for name in some:
            paths.setdefault(os.fsencode(name), set()).add(path)
    if os.listdir(f"{folder}/updates") or _content(f"{folder}/info/format").strip() != b"1":
        raise NotToldError("not a database at rest, in format 1")
    if not paths.keys().isdisjoint(_content(f"{folder}/diversions").split(b"\n")):
        raise NotToldError("a path is diverted")
    listed = _listing(f"{folder}/info", paths)
    status = b"\n" + _content(f"{folder}/status") if listed else b""
    packages = {name: _package(name, status) for name in set(listed.values())}
    return {path: packages[name] for path, name in listed.items()}


def _listing(info: str, paths: Mapping[bytes, set[bytes]]) -> dict[bytes, str]:
    """The name of the package (``name`` or ``name:architecture``) that lists each path."""
    missing = set(paths)
    found: dict[bytes, str] = {}
    for list_name in _likely_first([name for name in os.listdir(info) if name.endswith(_LIST)], missing):
        if not missing:
            break
        for name in _lines_among(missing, _content(f"{info}/{list_name}")):
            found.update(dict.fromkeys(paths[name], list_name[: -len(_LIST)]))
        missing = {name for name in missing if not paths[name] <= found.keys()}
    return found


def _lines_among(wanted: set[bytes], content: bytes) -> list[bytes]:
    """Which of ``wanted`` are a line of ``content``. To look for a few is faster than to divide all of it."""
    if len(wanted) > _FEW:
        return list(wanted.intersection(content.split(b"\n")))
    return [line for line in wanted if line in content and b"\n%b\n" % line in b"\n%b\n" % content]


def _likely_first(names: Sequence[str], paths: Iterable[bytes]) -> list[str]:
    starts = {os.fsdecode(os.path.basename(path))[:_ALIKE] for path in paths}
    return sorted(names, key=lambda name: (not any(start in name for start in starts), name))


def _package(listed: str, status: bytes) -> Package:
    name, _colon, architecture = listed.partition(":")
    start = b"\nPackage: " + os.fsencode(name) + b"\n"
    at = status.find(start)
    while at >= 0:
        end = status.find(b"\n\n", at)
        fields = status[at : end if end >= 0 else None]
        if not architecture or _field(fields, b"Architecture") == architecture:
            version = _field(fields, b"Version")
            if version is not None:
                return Package(name, version, "dpkg")
        at = status.find(start, at + 1)
    raise NotToldError(f"the status of {listed} is not there")


def _field(fields: bytes, key: bytes) -> str | None:
    _before, found, rest = fields.partition(b"\n" + key + b": ")
    return os.fsdecode(rest.partition(b"\n")[0]) if found else None


def _content(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
