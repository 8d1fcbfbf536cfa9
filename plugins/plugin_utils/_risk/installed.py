# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked about: a host's release and its packages. This module is private to the collection."""

from __future__ import annotations

from typing import NamedTuple


class OsRelease(NamedTuple):
    """Of os-release(5); None where it is not there."""

    id: str | None
    """ID: debian, ubuntu, alpine, almalinux..."""
    version_id: str | None
    """VERSION_ID: 12, 22.04, 3.18.4, 9.4. Debian's testing and unstable have none."""
    codename: str | None
    """VERSION_CODENAME: bookworm, jammy."""


class Installed(NamedTuple):
    """An installed package."""

    name: str
    """The binary package."""
    version: str | None
    """Its own version, as its manager writes it (rpm: [EPOCH:]VERSION-RELEASE)."""
    manager: str
    """dpkg, rpm or apk."""
    source: str | None
    """The source package that it was built from."""
    source_version: str | None
    """That package's version. It differs from the binary package's where that was built again (+b4), or has one of its
    own (libldb2 of samba)."""
    module: str | None = None
    """The rpm's MODULARITYLABEL: redis:7:9050020241104103753:9edba152."""
    origin: str | None = None
    """Whose package it is, where the manager says so: the rpm's VENDOR, an archive's Origin."""
