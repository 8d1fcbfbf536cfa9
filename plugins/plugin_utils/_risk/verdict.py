# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a version has a vulnerability, by all records of it. This module is private to the collection.

Records of one feed and one archive are ranges of versions: the version is in one of them or in none. Between feeds
and archives a fix is a fix: Ubuntu's ESM has fixes that its main archive has not, a list of advisories has fixes
that the list of CVEs has not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Literal, NamedTuple

from .advisory import Advisory
from .installed import Installed
from .same_vulnerability import Records
from .versions.compare import UnreadableVersion, compare

#: Why something cannot be compared.
Reason = Literal[
    "third-party",
    "backport",
    "other-module-stream",
    "other-branch",
    "unreadable-version",
    "source-unknown",
    "other-manager",
    "undetermined",
]


class Vulnerable(NamedTuple):
    """The version has it."""

    record: Advisory
    """The record that says so."""
    why: str


class Unknown(NamedTuple):
    """It cannot be told."""

    id: str
    reason: Reason
    message: str


class _Safe(NamedTuple):
    """A record knows the version, and that it has it not."""


class _Outside(NamedTuple):
    """The version is in none of a record's ranges: it is older than the vulnerability."""


_Said = Vulnerable | Unknown | _Safe | _Outside


def verdict(package: Installed, version: str, records: Records) -> Vulnerable | Unknown | None:
    """Whether the version has the vulnerability that the records are of; None where it has not."""
    if len(records.records) == 1:
        only = _said(records.id, package, version, records.records[0])
        return only if isinstance(only, Vulnerable | Unknown) else None
    archives: defaultdict[tuple[str, str], list[_Said]] = defaultdict(list)
    for record in records.records:
        archives[record.feed, record.channel].append(_said(records.id, package, version, record))
    said = [_of_ranges(of_archive) for of_archive in archives.values()]
    if any(isinstance(one, _Safe) for one in said):
        return None
    vulnerable = [one for one in said if isinstance(one, Vulnerable)]
    if vulnerable:  # what can be fixed is said first: an archive without a fix is no reason to wait
        return min(vulnerable, key=lambda one: (one.record.fixed_version is None, one.record.channel != "main"))
    return next((one for one in said if isinstance(one, Unknown)), None)


def _of_ranges(said: list[_Said]) -> _Said:
    """Of the records of one feed and archive. What is said of another stream or branch counts where nothing else is."""
    return min(said, key=_weight)


def _weight(said: _Said) -> int:
    if isinstance(said, Unknown) and said.reason in ("other-module-stream", "other-branch"):
        return 4
    return (Vulnerable, Unknown, _Safe, _Outside).index(type(said))


def _said(vulnerability: str, package: Installed, version: str, record: Advisory) -> _Said:
    if record.status == "undetermined":
        return Unknown(
            vulnerability, "undetermined", f"the feed does not know yet whether it is affected ({_where(record)})"
        )
    if record.status == "not-affected":
        return _Safe()
    if package.manager == "rpm" and (other := _other_stream(package, version, record)):
        return Unknown(vulnerability, "other-module-stream", f"{other} ({_where(record)})")
    if _is_of_another_branch(version, record):
        message = f"{version} is of another minor release than {record.fixed_version}"
        return Unknown(vulnerability, "other-branch", f"{message} ({_where(record)})")
    try:
        return _in_range(package.manager, version, record)
    except UnreadableVersion as error:
        return Unknown(vulnerability, "unreadable-version", f"{error} ({_where(record)})")


def _in_range(manager: str, version: str, record: Advisory) -> _Said:
    if record.introduced is not None and compare(manager, version, record.introduced) < 0:
        return _Outside()
    if record.fixed_version is not None:
        if compare(manager, version, record.fixed_version) >= 0:
            return _Safe()
        return Vulnerable(
            record, f"{version} is older than {record.fixed_version}, which has the fix ({_where(record)})"
        )
    if record.last_affected is not None:
        if compare(manager, version, record.last_affected) > 0:
            return _Safe()
        return Vulnerable(
            record, f"{version} is not newer than {record.last_affected}, the last one affected ({_where(record)})"
        )
    decision = (
        "" if record.decision == "none" else f", {record.decision}" + (f": {record.reason}" if record.reason else "")
    )
    return Vulnerable(record, f"no version of {record.package} in this release has a fix ({_where(record)}{decision})")


def _where(record: Advisory) -> str:
    return f"{record.feed}, {record.release}" + ("" if record.channel == "main" else f" {record.channel}")


_MODULAR = re.compile(r"\.module[_+]")
_MINOR = re.compile(r"\.el([0-9]+_[0-9]+)")


def _other_stream(package: Installed, version: str, record: Advisory) -> str | None:
    """Why the record's version is of another stream of the package than the installed one; None where it is not."""
    theirs = record.fixed_version or record.last_affected or record.introduced or ""
    installed = _stream(package.module) or ("a module" if _MODULAR.search(version) else None)
    meant = _stream(record.module) or ("a module" if _MODULAR.search(theirs) else None)
    if installed == meant and meant != "a module":
        return None
    if meant is None and not theirs:
        return None  # no version at all is fixed, of whichever stream
    return (
        f"{version} is of {_named(installed)}, and {theirs or record.package} of {_named(meant)}"
        if installed != meant
        else f"{version} and {theirs} are of modules, and of which is not known"
    )


def _stream(label: str | None) -> str | None:
    """NAME:STREAM of a MODULARITYLABEL, which goes on with version and context."""
    return ":".join(label.split(":")[:2]) if label and label != "(none)" else None


def _named(stream: str | None) -> str:
    return "no module" if stream is None else stream if stream == "a module" else f"module {stream}"


def _is_of_another_branch(version: str, record: Advisory) -> bool:
    """A fix for a minor release that is supported longer than the others: a newer build of another minor release may
    lack it."""
    if record.channel != "eus":
        return False
    fixed, installed = _MINOR.search(record.fixed_version or ""), _MINOR.search(version)
    return fixed is None or installed is None or fixed[1] != installed[1]
