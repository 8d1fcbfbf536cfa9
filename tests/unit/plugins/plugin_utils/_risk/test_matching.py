# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a host's own packages is found, and whatever cannot be told is a gap by name."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import ShapeError, decoded, encoded
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.advisory import Advisory
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.distributions import UnknownRelease, release_of
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.installed import Installed, OsRelease
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.matching import Matched, Matcher, match

from .advisory_builders import (
    ALMA9,
    ALPINE,
    BOOKWORM,
    COVERED,
    CVE,
    RHEL9,
    advisory,
    alma,
    alpine,
    apk,
    deb,
    debian,
    rpm,
    ubuntu,
)


def _matched(package: Installed, *advisories: Advisory, os_release: OsRelease = BOOKWORM) -> Matched:
    return match(os_release, [package], advisories, COVERED)


@pytest.mark.parametrize(
    ("os_release", "name"),
    [
        (OsRelease("debian", "12", "bookworm"), "debian/bookworm"),
        (OsRelease("debian", "12", None), "debian/bookworm"),
        (OsRelease("debian", "14", "forky"), "debian/forky"),
        (OsRelease("debian", None, "forky"), "debian/sid"),
        (OsRelease("debian", None, "sid"), "debian/sid"),
        (OsRelease("ubuntu", "22.04", "jammy"), "ubuntu/22.04"),
        (OsRelease("alpine", "3.18.4", None), "alpine/v3.18"),
        (OsRelease("alpine", "3.21_alpha20240923", None), "alpine/edge"),
        (OsRelease("almalinux", "9.4", None), "almalinux/9"),
        (OsRelease("rocky", "10", None), "rocky/10"),
        (OsRelease("rhel", "8.10", None), "rhel/8"),
        (OsRelease("arch", None, None), "arch/unknown"),
    ],
)
def test_a_release_is_named_as_its_feeds_name_it(os_release: OsRelease, name: str) -> None:
    assert release_of(os_release).name == name


@pytest.mark.parametrize(
    ("os_release", "why"),
    [
        (OsRelease("", "12", None), "no ID"),
        (OsRelease("debian", None, None), "neither VERSION_ID nor VERSION_CODENAME"),
        (OsRelease("debian", None, "bookworm"), "no VERSION_ID, which bookworm has"),
        (OsRelease("debian", "12", "trixie"), "'12' is bookworm, and VERSION_CODENAME is 'trixie'"),
        (OsRelease("debian", "99", None), "'99', which is not known"),
        (OsRelease("ubuntu", None, "jammy"), "no VERSION_ID"),
        (OsRelease("ubuntu", "22.04\n", None), "expected as 22.04"),
        (OsRelease("ubuntu", "\u0662\u0662.04", None), "expected as 22.04"),
        (OsRelease("alpine", "3", None), "expected as 3.18.4"),
        (OsRelease("almalinux", "nine", None), "expected as 9.4"),
    ],
)
def test_a_release_that_cannot_be_told_is_a_gap_with_the_reason(os_release: OsRelease, why: str) -> None:
    with pytest.raises(UnknownRelease, match=why):
        release_of(os_release)
    gap = _matched(deb("redis", "1-1"), debian("redis"), os_release=os_release).gaps[0]
    assert gap.code == "release-unknown"
    assert why in gap.message


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        (deb("redis", "1.0 0"), "unreadable-version"),
        (deb("redis", ""), "unreadable-version"),
        (deb("redis", None), "source-unknown"),
        (Installed("redis", "1-1", "dpkg", None, None), "source-unknown"),
        (rpm("redis", "1-1.el9"), "other-manager"),
        (Installed("redis", "1-1", "pacman", "redis", "1-1"), "other-manager"),
    ],
)
def test_what_cannot_be_compared_is_never_a_pass(package: Installed, reason: str) -> None:
    for advisories in ((), (debian("redis"),), (debian("redis", "0.5-1"),)):
        matched = _matched(package, *advisories)
        assert matched.vulnerabilities == ()
        assert [gap.name for gap in matched.gaps] == [f"not-comparable:redis:{reason}"]


def test_an_advisory_with_an_unreadable_version_is_a_gap_for_its_vulnerability_alone() -> None:
    matched = _matched(
        deb("redis", "1-1"),
        debian("redis", "1 .2", id="CVE-2024-10001"),
        debian("redis", "2-1", id="CVE-2024-10002"),
        debian("redis", "v3", id="CVE-2024-10003"),
    )
    assert [found.id for found in matched.vulnerabilities] == ["CVE-2024-10002"]
    (gap,) = matched.gaps
    assert gap.reason == "unreadable-version"
    assert gap.ids == ("CVE-2024-10001", "CVE-2024-10003")


def test_a_feed_that_does_not_know_yet_is_a_gap() -> None:
    (gap,) = _matched(deb("redis", "1-1"), debian("redis", status="undetermined")).gaps
    assert gap.name == "not-comparable:redis:undetermined"
    assert gap.ids == (CVE,)


def test_a_fix_that_can_be_had_and_one_that_cannot_are_told_apart() -> None:
    (fixed,) = _matched(deb("redis", "1-1"), debian("redis", "1-2")).vulnerabilities
    assert (fixed.status, fixed.fixed_version, fixed.compared) == ("fixed-available", "1-2", "1-1")
    assert fixed.why == "1-1 is older than 1-2, which has the fix (debian-tracker, bookworm)"
    (open_,) = _matched(deb("redis", "1-1"), debian("redis", decision="no-dsa", reason="Minor issue")).vulnerabilities
    assert (open_.status, open_.fixed_version, open_.decision) == ("unfixed", None, "no-dsa")
    assert open_.why.endswith("(debian-tracker, bookworm, no-dsa: Minor issue)")


@pytest.mark.parametrize(
    ("fields", "vulnerable"),
    [
        ({"status": "not-affected"}, False),
        ({"withdrawn": "2024-01-02"}, False),
        ({"introduced": "2-1"}, False),
        ({"introduced": "1-1"}, True),
        ({"last_affected": "1-1"}, True),
        ({"last_affected": "0.9-9"}, False),
        ({"introduced": "0.5", "last_affected": "0.9"}, False),
        ({"decision": "ignored"}, True),
    ],
)
def test_what_a_record_says_besides_a_fix_is_honoured(fields: dict[str, str], vulnerable: bool) -> None:
    assert bool(_matched(deb("redis", "1-1"), debian("redis", **fields)).vulnerabilities) is vulnerable


def test_the_ranges_of_one_feed_are_all_looked_at() -> None:
    old, new = debian("redis", "1-5"), debian("redis", "2-5", introduced="2-1")
    for order in itertools.permutations((old, new)):
        assert _matched(deb("redis", "2-2"), *order).vulnerabilities
        assert _matched(deb("redis", "1-2"), *order).vulnerabilities
        assert not _matched(deb("redis", "1-6"), *order).vulnerabilities
        assert not _matched(deb("redis", "2-5"), *order).vulnerabilities


def test_what_debian_calls_unimportant_is_told_apart() -> None:
    open_, resolved = (
        debian("redis", urgency="unimportant"),
        debian("redis", "1-2", urgency="high", id="CVE-2024-10002"),
    )
    found = _matched(deb("redis", "1-1"), open_, resolved).vulnerabilities
    assert [(one.id, one.unimportant) for one in found] == [("CVE-2024-10002", False), (CVE, True)]
    osv = advisory("osv-debian", "debian", "bookworm", "redis")
    for order in ((osv, open_), (open_, osv)):
        assert [one.unimportant for one in _matched(deb("redis", "1-1"), *order).vulnerabilities] == [True]


def test_one_vulnerability_is_one_row_by_whatever_names() -> None:
    found = _matched(
        deb("redis", "1-1ubuntu1"),
        ubuntu("redis", "1-1ubuntu2", id="UBUNTU-CVE-2024-11111", aliases=("USN-1-1",)),
        ubuntu("redis", "1-1ubuntu2", id="USN-1-1", aliases=("UBUNTU-CVE-2024-11111", "CVE-2024-22222")),
        os_release=OsRelease("ubuntu", "22.04", "jammy"),
    ).vulnerabilities
    assert [(one.id, one.aliases) for one in found] == [(CVE, ("USN-1-1",)), ("CVE-2024-22222", ("USN-1-1",))]
    found = _matched(
        apk("redis", "1-r0"),
        alpine("redis", "1-r1", id="GHSA-aaaa-bbbb-cccc"),
        alpine("redis", "1-r1", aliases=("GHSA-aaaa-bbbb-cccc",)),
        os_release=ALPINE,
    ).vulnerabilities
    assert [one.id for one in found] == [CVE]


def test_an_advisory_without_a_cve_is_found_by_its_own_name() -> None:
    (found,) = _matched(
        rpm("redis", "6-1.el9"), alma("redis", "6-2.el9", id="ALSA-2024:1"), os_release=ALMA9
    ).vulnerabilities
    assert found.id == "ALSA-2024:1"


def test_modules_of_which_the_stream_is_not_known_are_not_compared() -> None:
    installed = rpm("redis", "7.2.4-1.module_el9.4.0+1+aaaaaaaa")
    fixed = alma("redis", "7.2.8-1.module_el9.6.0+1+aaaaaaaa")
    (gap,) = _matched(installed, fixed, os_release=ALMA9).gaps
    assert gap.reason == "other-module-stream"
    assert "of which is not known" in gap.message


def test_a_fix_for_a_minor_release_says_nothing_of_a_newer_build_of_another() -> None:
    eus = advisory("osv-redhat", "rhel", "9", "nginx", "1.20.1-8.el9_2.3", of="binary", channel="eus")
    main = advisory("osv-redhat", "rhel", "9", "nginx", "1.20.1-16.el9_4", of="binary")
    newer, older, fixed = (rpm("nginx", f"1.20.1-{build}") for build in ("14.el9_3", "8.el9_2.2", "8.el9_2.3"))
    assert [gap.reason for gap in _matched(newer, eus, os_release=RHEL9).gaps] == ["other-branch"]
    assert _matched(newer, eus, main, os_release=RHEL9).vulnerabilities
    assert _matched(older, eus, main, os_release=RHEL9).vulnerabilities
    assert _matched(fixed, eus, main, os_release=RHEL9) == Matched((), ())


def test_an_index_that_answers_with_another_release_is_not_believed() -> None:
    trixie = advisory("debian-tracker", "debian", "trixie", "redis")
    assert Matcher(lambda _release, _of, _name: [trixie], COVERED).host(BOOKWORM, [deb("redis", "1-1")]) == Matched(
        (), ()
    )


def test_a_package_that_many_hosts_have_is_asked_about_once() -> None:
    asked = []

    def asking(*question: object) -> list[Advisory]:
        asked.append(question)
        return [debian("redis", "1-2")]

    matcher = Matcher(asking, COVERED)
    results = {matcher.host(BOOKWORM, [deb("redis", "1-1")]) for _host in range(100)}
    assert len(results) == len(asked) == 1


def test_a_record_is_kept_as_it_is_and_nonsense_is_refused() -> None:
    record = debian("redis", "1-2", aliases=("DSA-1-1",), cvss="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    assert decoded(Advisory, encoded(record), "advisory") == record
    for there, instead, why in (
        (b'"fixed_version":"1-2"', b'"fixed_version":null', "status is fixed, and neither"),
        (b'"status":"fixed"', b'"status":"open"', "fixed_version is there, and status is open"),
        (b'"id":"CVE-2024-11111"', b'"id":"a b"', "advisory.id"),
        (b'"withdrawn":null', b'"withdrawn":"soon"', "advisory.withdrawn"),
        (b'"of":"source"', b'"of":"guess"', "advisory.of"),
    ):
        with pytest.raises(ShapeError, match=why):
            decoded(Advisory, encoded(record).replace(there, instead), "advisory")
