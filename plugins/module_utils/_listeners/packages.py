# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which installed package owns an executable: one question for all of them.

Sources: dpkg-query(1), rpm(8), apk(8). This module is private to the collection.
"""

from __future__ import annotations

import os
import re
from typing import Callable, Iterable, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._listeners import dpkg_database
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import Package
from ansible_collections.vigil.ports.plugins.module_utils._listeners.programs import Answer, ProgramError, Runner

# The database tells which manager the host lives by; the program alone may be there as a tool.
_DATABASES = (
    ("dpkg", "/var/lib/dpkg/status"),
    ("rpm", "/usr/lib/sysimage/rpm"),
    ("rpm", "/var/lib/rpm"),
    ("apk", "/lib/apk/db/installed"),
    ("apk", "/usr/lib/apk/db/installed"),
)
_MERGED = ("/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/")
_APK_LINE = re.compile(r"(?P<path>/.*?) (?:symlink target )?is owned by (?P<name>.+)-(?P<version>[^-]+-r\d+)\Z")


def manager_of_host(exists: Callable[[str], bool] = os.path.exists) -> str | None:
    return next((manager for manager, database in _DATABASES if exists(database)), None)


def owning_packages(manager: str, paths: Iterable[bytes], run: Runner, root: str = "") -> dict[bytes, Package]:
    """The package of each path; a path that no package owns is left out. Raises ProgramError.

    ``root`` is where the manager's files are; where they do not tell, ``run`` asks its program.
    """
    names = {path: spellings(os.fsdecode(path)) for path in sorted(set(paths))}
    if not names:
        return {}
    if manager == "dpkg":
        try:
            return dpkg_database.owning_packages(f"{root}/var/lib/dpkg", {path: _here(names[path]) for path in names})
        except (dpkg_database.NotToldError, OSError):
            pass  # the program tells, or why it cannot
    owned = _ASK[manager](sorted({name for some in names.values() for name in some}), run)
    found: dict[bytes, Package] = {}
    for path, some in names.items():
        # The spelling of the process itself comes first: on a host that is not merged both may exist.
        package = next((owned[name] for name in some if name in owned), None)
        if package is not None:
            found[path] = package
    return found


def _here(names: Sequence[str]) -> list[str]:
    """Those of the spellings that are the same file, as their folders are the same on this host."""
    folder = _identity(names[0])
    return [name for name in names if name == names[0] or (folder is not None and _identity(name) == folder)]


def _identity(path: str) -> tuple[int, int] | None:
    try:
        there = os.stat(os.path.dirname(path))
    except OSError:
        return None
    return (there.st_dev, there.st_ino)


def spellings(path: str) -> list[str]:
    """The path, and its other name where /bin is a link to /usr/bin: a package may know either.

    Also /usr/sbin and /usr/bin, which some distributions merge.
    """
    names = [path]
    if path.startswith("/usr/") and path[4:].startswith(_MERGED):
        names.append(path[4:])
    elif path.startswith(_MERGED):
        names.append(f"/usr{path}")
    for name in list(names):
        head, slash, tail = name.rpartition("/")
        if slash and head.endswith("/sbin"):
            names.append(f"{head[:-4]}bin/{tail}")
        elif slash and head in ("/bin", "/usr/bin"):
            names.append(f"{head[:-3]}sbin/{tail}")
    return names


def _by_dpkg(paths: Sequence[str], run: Runner) -> dict[str, Package]:
    answer = run(["dpkg-query", "--search", "--", *(_literal(path) for path in paths)])
    _check("dpkg-query", answer, (0, 1))  # 1: some of the paths are nobody's
    names = dict(_dpkg_owners(answer.output, set(paths)))
    if not names:
        return {}
    asked = sorted(set(names.values()))
    told = run(["dpkg-query", "--show", "--showformat=${binary:Package}\\t${Package}\\t${Version}\\n", "--", *asked])
    _check("dpkg-query", told, (0, 1))
    versions: dict[str, tuple[str, str]] = {}
    for line in _lines(told.output):
        fields = line.split("\t")
        if len(fields) == 3:
            versions[fields[0]] = versions[fields[1]] = (fields[1], fields[2])
    found = {}
    for path, owner in names.items():
        name, version = versions.get(owner, (owner, None))
        found[path] = Package(name, version or None, "dpkg")
    return found


def _lines(output: bytes) -> list[str]:
    """Only a newline ends a line: what else Python takes for the end of one may stand in a path."""
    return os.fsdecode(output).split("\n")


def _literal(path: str) -> str:
    """dpkg-query reads its arguments as patterns."""
    return re.sub(r"([][*?\\])", r"\\\1", path)


def _dpkg_owners(output: bytes, wanted: set[str]) -> Iterable[tuple[str, str]]:
    for line in _lines(output):
        owners, colon, path = line.partition(": /")
        if colon and f"/{path}" in wanted and not line.startswith("diversion by "):
            yield f"/{path}", owners.split(", ")[0]


def _by_rpm(paths: Sequence[str], run: Runner) -> dict[str, Package]:
    wanted = set(paths)
    # A path may belong to several packages and answers carry no path, so each line tells its file.
    answer = run(["rpm", "-qf", "--queryformat", "[%{=NAME}\\t%{=EVR}\\t%{FILENAMES}\\n]", "--", *paths])
    found: dict[str, Package] = {}
    for line in _lines(answer.output):
        fields = line.split("\t", 2)
        if len(fields) == 3 and fields[2] in wanted:
            found.setdefault(fields[2], Package(fields[0], fields[1], "rpm"))
    if not found and b"rpmdb" in answer.errors:
        raise ProgramError(f"rpm: {os.fsdecode(answer.errors).strip()}")
    return found


def _by_apk(paths: Sequence[str], run: Runner) -> dict[str, Package]:
    answer = run(["apk", "info", "--who-owns", "--", *paths])
    found: dict[str, Package] = {}
    for line in _lines(answer.output):
        match = _APK_LINE.match(line)
        if match:
            found[match["path"]] = Package(match["name"], match["version"], "apk")
    return found


def _check(program: str, answer: Answer, good: tuple[int, ...]) -> None:
    if answer.status not in good:
        raise ProgramError(f"{program} ended with {answer.status}: {os.fsdecode(answer.errors).strip()}")


_ASK: dict[str, Callable[[Sequence[str], Runner], dict[str, Package]]] = {
    "dpkg": _by_dpkg,
    "rpm": _by_rpm,
    "apk": _by_apk,
}
