# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twelve ways in which scanners for vulnerabilities were wrong, each with the versions that it was seen with."""

from __future__ import annotations

from ansible_collections.vigil.ports.plugins.plugin_utils._risk.advisory import Advisory
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.installed import Installed, OsRelease
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.matching import Matched, match

from .advisory_builders import (
    ALMA9,
    BIONIC,
    BOOKWORM,
    COVERED,
    CVE,
    JAMMY,
    SID,
    advisory,
    alma,
    deb,
    debian,
    rpm,
    ubuntu,
)


def _matched(os_release: OsRelease, package: Installed, *advisories: Advisory) -> Matched:
    return match(os_release, [package], advisories, COVERED)


def _is_vulnerable(os_release: OsRelease, package: Installed, *advisories: Advisory) -> bool:
    """Whether it is, where it can be told."""
    matched = _matched(os_release, package, *advisories)
    assert matched.gaps == ()
    return bool(matched.vulnerabilities)


def _gaps(os_release: OsRelease, package: Installed, *advisories: Advisory) -> list[str]:
    """The names of the gaps, where nothing can be told."""
    matched = _matched(os_release, package, *advisories)
    assert matched.vulnerabilities == ()
    return [gap.name for gap in matched.gaps]


def test_1_the_fix_of_sid_is_not_held_against_stable() -> None:
    redis = deb("redis", "5:7.0.15-1~deb12u10")
    sid = advisory("debian-tracker", "debian", "sid", "redis", "5:7.0.15-2")
    assert not _is_vulnerable(BOOKWORM, redis, sid)
    assert not _is_vulnerable(BOOKWORM, redis, sid, debian("redis", "5:7.0.15-1~deb12u5"))
    assert _is_vulnerable(SID, redis, sid, debian("redis", "5:7.0.15-1~deb12u5"))


def test_2_a_binary_package_with_a_version_of_its_own_is_compared_by_its_source() -> None:
    fixed = debian("samba", "2:4.17.12+dfsg-0+deb12u2")
    old = deb(
        "samba", "2:4.17.12+dfsg-0+deb12u1", binary="libldb2", binary_version="2:2.6.2+samba4.17.12+dfsg-0+deb12u1"
    )
    new = old._replace(source_version="2:4.17.12+dfsg-0+deb12u2")
    assert _is_vulnerable(BOOKWORM, old, fixed)
    assert not _is_vulnerable(BOOKWORM, new, fixed)


def test_3_a_package_that_was_built_again_is_no_newer_than_its_source() -> None:
    rebuilt = deb("pkg", "3.4.23-4", binary_version="3.4.23-4+b4")
    assert _is_vulnerable(BOOKWORM, rebuilt, debian("pkg", "3.4.23-4+b1"))
    assert not _is_vulnerable(BOOKWORM, rebuilt, debian("pkg", "3.4.23-4"))


def test_4_numbers_are_numbers() -> None:
    assert _is_vulnerable(BOOKWORM, deb("openssh", "1:9.2p1-2+deb12u2"), debian("openssh", "1:9.2p1-2+deb12u11"))
    assert not _is_vulnerable(BOOKWORM, deb("openssh", "1:9.2p1-2+deb12u11"), debian("openssh", "1:9.2p1-2+deb12u2"))


def test_5_an_epoch_outranks_all_else() -> None:
    assert not _is_vulnerable(BOOKWORM, deb("pkg", "1:5.0.20-1"), debian("pkg", "5.0.31-1"))
    assert _is_vulnerable(BOOKWORM, deb("pkg", "5.0.31-1"), debian("pkg", "1:5.0.20-1"))


def test_6_a_fix_in_another_module_stream_says_nothing_of_this_package() -> None:
    redis = rpm("redis", "6.2.22-1.el9_8")
    stream = alma("redis", "7.2.14-1.module_el9.8.0+200+aaaaaaaa", module="redis:7")
    assert _gaps(ALMA9, redis, stream) == ["not-comparable:redis:other-module-stream"]
    assert not _is_vulnerable(ALMA9, redis, stream, alma("redis", "6.2.20-1.el9_7"))
    assert _is_vulnerable(ALMA9, redis, stream, alma("redis", "6.2.23-1.el9_8"))


def test_7_epochs_of_two_module_streams_are_not_compared() -> None:
    label = "nginx:1.24:9050020241104103753:9edba152"
    nginx = rpm("nginx", "1:1.24.0-5.module_el9.5.0+119+18833d03", module=label)
    other = alma("nginx", "2:1.20.1-24.el9_7.1")
    assert _gaps(ALMA9, nginx, other) == ["not-comparable:nginx:other-module-stream"]
    own = alma("nginx", "1:1.24.0-6.module_el9.6.0+120+18833d03", module="nginx:1.24")
    assert _is_vulnerable(ALMA9, nginx, other, own)
    third = alma("nginx", "1:1.26.0-6.module_el9.6.0+120+18833d03", module="nginx:1.26")
    assert _gaps(ALMA9, nginx, third) == ["not-comparable:nginx:other-module-stream"]


def test_8_the_fix_of_red_hat_is_not_held_against_a_rebuild() -> None:
    label = "nodejs:18:1:2"
    ours = rpm("nodejs", "1:18.1-1.module_el9.4.0+1910+aaaaaaaa", module=label)
    red_hat = advisory(
        "osv-redhat", "rhel", "9", "nodejs", "1:18.1-1.module+el9.4.0+20784+bbbbbbbb", of="binary", module="nodejs:18"
    )
    assert not _is_vulnerable(ALMA9, ours, red_hat)
    own = alma("nodejs", "1:18.1-1.module_el9.4.0+1910+aaaaaaaa", module="nodejs:18")
    assert not _is_vulnerable(ALMA9, ours, red_hat, own)


def test_9_backports_and_other_archives_are_not_compared() -> None:
    fixed = debian("zabbix", "1:7.0.6+dfsg-1")
    assert _gaps(BOOKWORM, deb("zabbix", "1:7.0.5+dfsg-1~bpo12+1"), fixed) == ["not-comparable:zabbix:backport"]
    for package in (
        deb("nginx", "1.24.0-1~bookworm"),
        deb("redis", "6:7.2.4-1rl1~bookworm1"),
        deb("postgresql-16", "16.1-1.pgdg120+1"),
        deb("mariadb", "1:10.11.6+maria~deb12"),
        deb("docker-ce", "5:24.0.7-1~debian.12~bookworm"),
        deb("php8.2", "8.2.13-1+0~20231124.59+debian12~1.gbp4e1e5d"),
        deb("nginx", "1.18.0-6ubuntu14.4"),
        deb("zabbix", "1:7.0.5-1", origin="Zabbix"),
    ):
        assert _gaps(BOOKWORM, package, debian(package.name, "1:1-1"), debian(package.name)) == [
            f"not-comparable:{package.name}:third-party"
        ], package
    for package in (
        rpm("redis", "7.2.4-1.el9.remi"),
        rpm("nginx", "1:1.24.0-1.el9.ngx"),
        rpm("elasticsearch", "8.1.0-1"),
        rpm("redis", "7.2.4-1.el8"),
        rpm("redis", "7.2.4-1.el9", origin="Fedora Project"),
        rpm("redis", "7.2.4-1.el9", origin="(none)"),
    ):
        assert _gaps(ALMA9, package, alma(package.name, "9-1.el9")) == [f"not-comparable:{package.name}:third-party"], (
            package
        )


def test_10_a_fix_by_ubuntu_pro_counts_where_it_is_installed() -> None:
    main = ubuntu("qmail", release="18.04", decision="end-of-life")
    pro = ubuntu("qmail", "1.06-6.2~deb10u1build0.18.04.1+esm1", release="18.04", channel="pro")
    for order in ((main, pro), (pro, main)):
        assert not _is_vulnerable(BIONIC, deb("qmail", "1.06-6.2~deb10u1build0.18.04.1+esm1"), *order)
        (found,) = _matched(BIONIC, deb("qmail", "1.06-5"), *order).vulnerabilities
        assert (found.status, found.channel) == ("fixed-available", "pro")
        assert found.fixed_version == "1.06-6.2~deb10u1build0.18.04.1+esm1"
    (found,) = _matched(BIONIC, deb("qmail", "1.06-5"), main).vulnerabilities
    assert (found.status, found.channel, found.decision) == ("unfixed", "main", "end-of-life")


def test_11_a_fix_that_only_the_list_of_advisories_has_counts() -> None:
    cves = advisory("debian-cve-list", "debian", "bookworm", "openssh", "1:9.7p1-7")
    advisories = advisory(
        "debian-dsa-list", "debian", "bookworm", "openssh", "1:9.2p1-2+deb12u3", aliases=("DSA-5724-1",)
    )
    for order in ((cves, advisories), (advisories, cves)):
        assert not _is_vulnerable(BOOKWORM, deb("openssh", "1:9.2p1-2+deb12u3"), *order)
        assert _is_vulnerable(BOOKWORM, deb("openssh", "1:9.2p1-2+deb12u2"), *order)


def test_12_nothing_is_said_without_the_release() -> None:
    samba = deb("samba", "2:4.17.12+dfsg-0+deb12u1")
    fixed = debian("samba", "2:4.17.12+dfsg-0+deb12u2")
    for os_release in (
        OsRelease(None, None, None),
        OsRelease("debian", None, None),
        OsRelease("debian", None, "bookworm"),
    ):
        assert _gaps(os_release, samba, fixed) == ["release-unknown"], os_release
    assert _gaps(OsRelease("debian", "11", "bullseye"), samba, fixed) == ["no-feed-for-release"]
    assert _gaps(OsRelease("raspbian", "12", "bookworm"), samba, fixed) == ["no-feed-for-release"]
    assert _matched(JAMMY, deb("samba", "2:4.15.13+dfsg-0ubuntu1.6"), fixed) == Matched((), ())
    assert _matched(BOOKWORM, samba, fixed).vulnerabilities[0].id == CVE
