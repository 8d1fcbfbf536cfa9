# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which vulnerabilities the installed packages of a host have, and of which nobody can tell. This module is private to
the collection.

Only what is said of the host's own release counts, and only of packages that the distribution built for it. All else
that was asked about is a gap by name: it is not a pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal, NamedTuple

from .advisory import Advisory
from .distributions import DISTRIBUTIONS, Release, UnknownRelease, release_of
from .installed import Installed, OsRelease
from .origins import not_theirs
from .same_vulnerability import Records, by_vulnerability
from .verdict import Reason, Unknown, Vulnerable, verdict
from .versions.compare import UnreadableVersion, check

#: Gap codes.
Code = Literal["release-unknown", "no-feed-for-release", "not-comparable"]


class Vulnerability(NamedTuple):
    """One vulnerability in one installed package."""

    package: Installed
    id: str
    """The CVE, or the feed's own id where it has none."""
    aliases: tuple[str, ...]
    """Its other ids, and those of the advisories that name it."""
    status: Literal["fixed-available", "unfixed"]
    """Whether a version without it can be had for this release."""
    fixed_version: str | None
    """The first such version; None where there is none or the feed does not name it."""
    compared: str
    """The installed version that was compared."""
    channel: str
    """Where the fix is: main, or pro for Ubuntu Pro, as of Advisory."""
    unimportant: bool
    """Debian says that the package as it is built or shipped is not affected in a way that matters (urgency
    unimportant)."""
    urgency: str | None
    """The distribution's own measure."""
    decision: str
    """What the distribution decided where it is open, as of Advisory: none, no-dsa, postponed, ignored, end-of-life."""
    cvss: str | None
    """The CVSS vector, where one of the records has it."""
    why: str
    """What was compared with what, in one sentence."""


class Gap(NamedTuple):
    """What could not be told, and why."""

    code: Code
    package: Installed | None
    """The package; None where it is all of the host."""
    reason: Reason | None
    """Why a package is not comparable."""
    ids: tuple[str, ...]
    """The vulnerabilities that it is about; empty where it is about all of the package."""
    message: str
    """What happened, to what, in one sentence."""

    @property
    def name(self) -> str:
        """As not-comparable:redis-server:backport."""
        return ":".join(
            part for part in (self.code, self.package.name if self.package else None, self.reason) if part is not None
        )


class Matched(NamedTuple):
    """What came of a host or a package."""

    vulnerabilities: tuple[Vulnerability, ...]
    gaps: tuple[Gap, ...]


#: The advisories of a package: by release, what kind of package it is (source or binary), and its name.
Asking = Callable[[Release, str, str], Sequence[Advisory]]


class Matcher:
    """Matches host after host. What was found of a package is remembered, as a fleet has few different ones."""

    def __init__(self, asking: Asking, covered: Collection[str]) -> None:
        """Takes where advisories come from, and the releases that any feed speaks of (FeedInfo.covers)."""
        self._asking = asking
        self._covered = frozenset(covered)
        self._matched: dict[tuple[Release, Installed], Matched] = {}
        self._records: dict[tuple[Release, str], tuple[Records, ...]] = {}

    def host(self, os_release: OsRelease, packages: Iterable[Installed]) -> Matched:
        """The vulnerabilities and gaps of a host, in the order of its packages and then of ids."""
        try:
            release = release_of(os_release)
        except UnknownRelease as error:
            return Matched((), (Gap("release-unknown", None, None, (), f"The release is not known: {error}"),))
        if release.distribution not in DISTRIBUTIONS or release.name not in self._covered:
            message = f"No feed speaks of {release.name}: no package was compared. Add one to the advisories"
            return Matched((), (Gap("no-feed-for-release", None, None, (), message),))
        found = [self._package(release, package) for package in packages]
        return Matched(
            tuple(vulnerability for matched in found for vulnerability in matched.vulnerabilities),
            tuple(gap for matched in found for gap in matched.gaps),
        )

    def _package(self, release: Release, package: Installed) -> Matched:
        key = release, package
        if key not in self._matched:
            self._matched[key] = _match(release, package, self._said_of)
        return self._matched[key]

    def _said_of(self, release: Release, of: str, name: str) -> tuple[Records, ...]:
        """What is said of a package by vulnerability, whatever its version."""
        key = release, name  # a distribution's feeds name one kind of packages
        if key not in self._records:
            said = (one for one in self._asking(release, of, name) if (one.distribution, one.release) == release)
            self._records[key] = tuple(by_vulnerability(said))
        return self._records[key]


def match(
    os_release: OsRelease, packages: Iterable[Installed], advisories: Iterable[Advisory], covered: Collection[str]
) -> Matched:
    """The vulnerabilities and gaps of one host, with all advisories that were asked for of it."""
    known: defaultdict[tuple[str, str, str, str], list[Advisory]] = defaultdict(list)
    for advisory in advisories:
        known[advisory.distribution, advisory.release, advisory.of, advisory.package].append(advisory)
    return Matcher(lambda release, of, name: known.get((*release, of, name), ()), covered).host(os_release, packages)


def _match(
    release: Release, package: Installed, said_of: Callable[[Release, str, str], tuple[Records, ...]]
) -> Matched:
    distribution = DISTRIBUTIONS[release.distribution]
    if package.manager != distribution.manager:
        message = f"it is a package of {package.manager}, and {release.distribution} has {distribution.manager}"
        return _not_comparable(package, "other-manager", message)
    name, version = (
        (package.source, package.source_version) if distribution.of == "source" else (package.name, package.version)
    )
    if name is None or version is None:
        return _not_comparable(package, "source-unknown", f"its {distribution.of} package or its version is not known")
    try:
        check(package.manager, version)
    except UnreadableVersion as error:
        return _not_comparable(package, "unreadable-version", str(error))
    if foreign := not_theirs(release, package, version):
        return _not_comparable(package, foreign.reason, foreign.message)
    vulnerabilities: list[Vulnerability] = []
    untold: dict[Reason, list[Unknown]] = defaultdict(list)
    for records in said_of(release, distribution.of, name):
        found = verdict(package, version, records)
        if isinstance(found, Unknown):
            untold[found.reason].append(found)
        elif found is not None:
            vulnerabilities.append(_vulnerability(package, version, records, found))
    gaps = (
        _not_comparable(package, reason, group[0].message, sorted(unknown.id for unknown in group)).gaps[0]
        for reason, group in sorted(untold.items())
    )
    return Matched(tuple(vulnerabilities), tuple(gaps))


def _vulnerability(package: Installed, version: str, records: Records, found: Vulnerable) -> Vulnerability:
    record = found.record
    said = (record, *records.records)
    return Vulnerability(
        package=package,
        id=records.id,
        aliases=records.aliases,
        status="unfixed" if record.fixed_version is None and record.last_affected is None else "fixed-available",
        fixed_version=record.fixed_version,
        compared=version,
        channel=record.channel,
        unimportant=any(other.urgency == "unimportant" for other in said),
        urgency=next((other.urgency for other in said if other.urgency), None),
        decision=next((other.decision for other in said if other.decision != "none"), "none"),
        cvss=next((other.cvss for other in said if other.cvss), None),
        why=found.why,
    )


def _not_comparable(package: Installed, reason: Reason, message: str, ids: Sequence[str] = ()) -> Matched:
    about = (
        f"{len(ids)} vulnerabilities of {package.name}"
        if len(ids) > 1
        else f"{ids[0]} of {package.name}"
        if ids
        else package.name
    )
    gap = Gap("not-comparable", package, reason, tuple(ids), f"{about} cannot be compared: {message}")
    return Matched((), (gap,))
