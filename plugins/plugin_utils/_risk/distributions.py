# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the feeds of a distribution name a host's release. This module is private to the collection.

Derivatives are not taken for what they derive from (ID_LIKE of os-release(5)): their packages differ, and their
fixes come at other times.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from .installed import OsRelease

#: Debian's releases by VERSION_ID. One that is missing here is taken by its codename.
_DEBIAN = {"9": "stretch", "10": "buster", "11": "bullseye", "12": "bookworm", "13": "trixie"}


class Release(NamedTuple):
    """A release of a distribution, as its feeds name it."""

    distribution: str
    release: str

    @property
    def name(self) -> str:
        """As debian/bookworm, as FeedInfo has it in covers."""
        return f"{self.distribution}/{self.release}"


class UnknownRelease(ValueError):  # noqa: N818 - it says what is not known
    """What os-release lacks, or what contradicts in it."""


class Distribution(NamedTuple):
    """What is particular to a distribution."""

    manager: str
    """Its package manager."""
    of: Literal["source", "binary"]
    """Which packages its feeds name."""
    release: Callable[[OsRelease], str]
    """Names the release. Raises UnknownRelease."""


def release_of(os_release: OsRelease) -> Release:
    """The release of a host. A distribution that is not in the table is named as it names itself, and has no feed.
    Raises UnknownRelease."""
    if not os_release.id:
        raise UnknownRelease("os-release has no ID")
    distribution = DISTRIBUTIONS.get(os_release.id)
    if distribution is None:
        return Release(os_release.id, os_release.version_id or os_release.codename or "unknown")
    return Release(os_release.id, distribution.release(os_release))


def _debian(os_release: OsRelease) -> str:
    version, codename = os_release.version_id, os_release.codename
    if version is None and codename is None:
        raise UnknownRelease("os-release has neither VERSION_ID nor VERSION_CODENAME")
    if version is None and codename in _DEBIAN.values():
        raise UnknownRelease(f"os-release has no VERSION_ID, which {codename} has")
    if version is None:
        return "sid"  # testing looks the same, and gets its fixes from sid, with the versions of sid
    known = _DEBIAN.get(version)
    if known is None and codename is None:
        raise UnknownRelease(f"VERSION_ID is {version!a}, which is not known, and there is no VERSION_CODENAME")
    if known is not None and codename not in (None, known):
        raise UnknownRelease(f"VERSION_ID {version!a} is {known}, and VERSION_CODENAME is {codename!a}")
    return known or codename or ""


def _ubuntu(os_release: OsRelease) -> str:
    return _found(r"[0-9]{1,2}\.[0-9]{2}", os_release, "22.04")


def _alpine(os_release: OsRelease) -> str:
    if "_alpha" in (os_release.version_id or ""):  # as edge has it: 3.21_alpha20240923
        return "edge"
    return "v" + _found(r"([0-9]+\.[0-9]+)\.[0-9]+", os_release, "3.18.4")


def _major(os_release: OsRelease) -> str:
    return _found(r"([0-9]+)(?:\.[0-9]+)?", os_release, "9.4")


def _found(pattern: str, os_release: OsRelease, sample: str) -> str:
    if os_release.version_id is None:
        raise UnknownRelease("os-release has no VERSION_ID")
    found = re.fullmatch(pattern, os_release.version_id)
    if found is None:
        raise UnknownRelease(f"VERSION_ID is {os_release.version_id[:50]!a}, expected as {sample}")
    return str(found[found.lastindex or 0])


DISTRIBUTIONS = {
    "debian": Distribution("dpkg", "source", _debian),
    "ubuntu": Distribution("dpkg", "source", _ubuntu),
    "alpine": Distribution("apk", "source", _alpine),
    "almalinux": Distribution("rpm", "binary", _major),
    "rocky": Distribution("rpm", "binary", _major),
    "rhel": Distribution("rpm", "binary", _major),
}
