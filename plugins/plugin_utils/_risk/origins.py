# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the distribution itself built a package for this release: only then its advisories speak of it. This module
is private to the collection.

The manager says so where it can (an rpm's vendor, an archive's origin). Else it shows in the version, by the signs
that backports and well-known archives put there. A package without a sign is taken for the distribution's own.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from .distributions import Release
from .installed import Installed

#: How the distribution names itself as the origin or vendor of its packages; in lower case, the beginning is enough.
_OWN_ORIGINS = {
    "debian": ("debian",),
    "ubuntu": ("ubuntu", "canonical"),
    "alpine": ("alpine",),
    "almalinux": ("almalinux",),
    "rocky": ("rocky",),
    "rhel": ("red hat",),
}
_THIRD: Literal["third-party"] = "third-party"
_BACKPORTS = ("debian backports", "ubuntu backports")


class Sign(NamedTuple):
    """What a version has that was built elsewhere."""

    pattern: re.Pattern[str]
    reason: Literal["backport", "third-party"]
    whose: str
    but_in: tuple[str, ...] = ()
    """The distributions whose own packages have it too."""


def _sign(pattern: str, reason: Literal["backport", "third-party"], whose: str, but_in: tuple[str, ...] = ()) -> Sign:
    return Sign(re.compile(pattern), reason, whose, but_in)


#: By manager. Each is as that archive's packages have it.
_SIGNS = {
    "dpkg": (
        _sign(r"~bpo[0-9.]+\+", "backport", "backports"),
        _sign(r"\.pgdg[0-9.]*\+", _THIRD, "the PostgreSQL project's archive"),
        _sign(r"\+maria~", _THIRD, "MariaDB's archive"),
        _sign(r"rl[0-9]+~", _THIRD, "Redis' archive"),
        _sign(r"~(debian|ubuntu)\.[0-9.]+~", _THIRD, "Docker's archive"),
        _sign(
            r"-[0-9]+~(stretch|buster|bullseye|bookworm|trixie|bionic|focal|jammy|noble)$", _THIRD, "nginx's archive"
        ),
        _sign(r"\+0~20[0-9]{6}", _THIRD, "an archive of Debian's PHP packager"),
        _sign(r"[~+0-9]ppa[0-9]", _THIRD, "a personal archive (PPA)"),
        _sign(r"[0-9]ubuntu[0-9]", _THIRD, "Ubuntu", but_in=("ubuntu",)),
    ),
    "rpm": (
        _sign(r"\.remi(\.|$)", _THIRD, "Remi's archive"),
        _sign(r"PGDG", _THIRD, "the PostgreSQL project's archive"),
        _sign(r"\.ngx$", _THIRD, "nginx's archive"),
        _sign(r"\.fc[0-9]+", _THIRD, "Fedora"),
        _sign(r"\.alma(\.|$)", _THIRD, "AlmaLinux", but_in=("almalinux",)),
        _sign(r"\.rocky(\.|$)", _THIRD, "Rocky Linux", but_in=("rocky",)),
    ),
    "apk": (),
}

#: The mark of the major release, which each of their packages has: .el9, .el9_4, .module_el9.5.0+119, .module+el8.9.0.
_EL = re.compile(r"[._+]el([0-9]+)(?![0-9])")


class NotTheirs(NamedTuple):
    """Why a package is not the distribution's own."""

    reason: Literal["backport", "third-party"]
    message: str


def not_theirs(release: Release, package: Installed, version: str) -> NotTheirs | None:
    """Why a package of this version is not the release's own; None where nothing says so."""
    origin = (package.origin or "").lower()
    if origin.startswith(_BACKPORTS):
        return NotTheirs("backport", f"its origin is {package.origin!a}")
    if origin and not origin.startswith(_OWN_ORIGINS.get(release.distribution, (release.distribution,))):
        return NotTheirs(_THIRD, f"its origin is {package.origin!a}")
    for sign in _SIGNS.get(package.manager, ()):
        if release.distribution not in sign.but_in and (found := sign.pattern.search(version)):
            return NotTheirs(sign.reason, f"{found[0]!a} in {version} is a sign of {sign.whose}")
    if package.manager == "rpm":
        found = _EL.search(version)
        if found is None:
            return NotTheirs(_THIRD, f"{version} lacks the sign of a release, as .el{release.release}")
        if found[1] != release.release:
            return NotTheirs(_THIRD, f"{version} was built for release {found[1]}, and this is {release.release}")
    return None
