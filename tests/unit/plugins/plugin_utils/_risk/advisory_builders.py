# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advisories, hosts and packages, with what the tests do not care about filled in."""

from __future__ import annotations

from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._risk.advisory import Advisory
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.installed import Installed, OsRelease

BOOKWORM = OsRelease("debian", "12", "bookworm")
SID = OsRelease("debian", None, "forky")
JAMMY = OsRelease("ubuntu", "22.04", "jammy")
BIONIC = OsRelease("ubuntu", "18.04", "bionic")
ALMA9 = OsRelease("almalinux", "9.4", None)
RHEL9 = OsRelease("rhel", "9.2", None)
ALPINE = OsRelease("alpine", "3.18.4", None)

COVERED = {
    "debian/bookworm",
    "debian/sid",
    "ubuntu/22.04",
    "ubuntu/18.04",
    "almalinux/9",
    "rhel/9",
    "alpine/v3.18",
}

CVE = "CVE-2024-11111"


def deb(
    source: str, version: str | None, *, binary: str | None = None, binary_version: str | None = None, **others: Any
) -> Installed:
    """A Debian or Ubuntu package."""
    return Installed(binary or source, binary_version or version, "dpkg", source, version, **others)


def rpm(name: str, version: str, **others: Any) -> Installed:
    """An rpm."""
    return Installed(name, version, "rpm", name, version, **others)


def apk(name: str, version: str, **others: Any) -> Installed:
    """A package of Alpine."""
    return Installed(name, version, "apk", name, version, **others)


def debian(package: str, fixed: str | None = None, **fields: Any) -> Advisory:
    """A statement of Debian's tracker on bookworm: open without a fixed version."""
    return advisory("debian-tracker", "debian", "bookworm", package, fixed, **fields)


def ubuntu(package: str, fixed: str | None = None, **fields: Any) -> Advisory:
    """A statement of Ubuntu on 22.04."""
    return advisory("osv-ubuntu", "ubuntu", fields.pop("release", "22.04"), package, fixed, **fields)


def alma(package: str, fixed: str | None = None, **fields: Any) -> Advisory:
    """A statement of AlmaLinux on 9."""
    return advisory("osv-almalinux", "almalinux", "9", package, fixed, of="binary", **fields)


def alpine(package: str, fixed: str | None = None, **fields: Any) -> Advisory:
    """A statement of Alpine on v3.18."""
    return advisory("alpine-secdb", "alpine", "v3.18", package, fixed, **fields)


def advisory(
    feed: str, distribution: str, release: str, package: str, fixed: str | None = None, **fields: Any
) -> Advisory:
    """Any statement."""
    return Advisory(
        **{
            "feed": feed,
            "distribution": distribution,
            "release": release,
            "package": package,
            "of": "source",
            "id": CVE,
            "status": "open" if fixed is None else "fixed",
            "fixed_version": fixed,
            **fields,
        }
    )
