# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who accepts a gap accepts what its name says, and nothing more."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.acceptance import accepts, with_ports
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import given
from hypothesis import strategies as st

Json = dict[str, Any]
NAME = "web1:scan-partial@office"


@pytest.mark.parametrize(
    ("accepted", "gap", "is_accepted"),
    [
        ("web1:unreachable", "web1:unreachable", True),
        ("*:unreachable", "web1:unreachable", True),
        ("web*:scan-failed@*", "web1:scan-failed@office", True),
        ("web*", "web1:unreachable", False),  # a star stands for one part
        ("*", "web1:unreachable", False),
        ("*:scan-failed@office", "web1:scan-failed@internet", False),
        ("web1:scan-failed@office:192.0.2.1", "web1:scan-failed@office:192.0.2.1", True),
        ("web1:scan-failed@office:192.0.2.1", "web1:scan-failed@office:192.0.2.2", False),
        ("web1:scan-untrusted@office:*", "web1:scan-untrusted@office:[2001:db8::1]", True),
        ("web1:scan-failed@office", "web1:scan-failed@office:192.0.2.1", False),  # it names no address
        ("web*:*@*", "web1:scan-failed@office:[2001:db8::1]", False),
        ("web*:*@*:*", "web1:scan-failed@office:[2001:db8::1]", True),
        ("web1:scan-failed@office:*", "web2:scan-failed@office:192.0.2.1", False),
        ("web1:scan-failed@office", "web1:scan-untrusted@office:192.0.2.1", False),
        ("web1:scan-failed@office:192.0.2.1", "web1:scan-partial@office:192.0.2.1:tcp/22", False),
        (NAME, f"{NAME}:192.0.2.1:tcp/1-60000", False),  # no ports accept no ports
        (f"{NAME}:*", f"{NAME}:192.0.2.1:tcp/1-60000", False),
        (f"{NAME}:192.0.2.1:tcp/1-1024", f"{NAME}:192.0.2.1:tcp/22,80-90", True),
        (f"{NAME}:192.0.2.1:tcp/1-1024", f"{NAME}:192.0.2.2:tcp/22", False),
        (f"{NAME}:*:tcp/1-1024", f"{NAME}:[2001:db8::1]:tcp/22", True),
        (f"{NAME}:192.0.2.1:tcp/1-1024", f"{NAME}:192.0.2.1:tcp/22,1025", False),
        (f"{NAME}:192.0.2.1:tcp/1-10,11-20", f"{NAME}:192.0.2.1:tcp/5-15", True),
        (f"{NAME}:192.0.2.1:tcp/53", f"{NAME}:192.0.2.1:udp/53", False),
        (f"{NAME}:192.0.2.1:tcp/1-99,udp/53", f"{NAME}:192.0.2.1:tcp/22,udp/53", True),
        (f"{NAME}:192.0.2.1:tcp/1-99,udp/53", f"{NAME}:192.0.2.1", False),
        ("w.b1:unreachable", "web1:unreachable", False),  # no regular expression
    ],
)
def test_an_acceptance_covers_what_it_names(accepted: str, gap: str, is_accepted: bool) -> None:
    assert accepts([accepted], gap) is is_accepted


ports = st.dictionaries(
    st.sampled_from(["tcp", "udp"]),
    st.lists(st.tuples(st.integers(1, 65000), st.integers(0, 500)).map(lambda s: (s[0], s[0] + s[1])), min_size=1),
    min_size=1,
)


@given(ports, ports)
def test_ports_that_are_not_named_are_never_accepted(accepted: Any, unknown: Any) -> None:
    def every(some: Any) -> set[tuple[str, int]]:
        return {
            (name, port) for name, spans in some.items() for first, last in spans for port in range(first, last + 1)
        }

    mine, its = (with_ports(NAME, "192.0.2.1", some) for some in (accepted, unknown))
    if accepts([mine], its) and mine != its:
        assert every(unknown) <= every(accepted)
    assert accepts([its], its)


def test_a_name_with_many_ports_stays_short_and_is_accepted_by_itself_alone() -> None:
    many = with_ports(NAME, "192.0.2.1", {"tcp": [(port, port) for port in range(1, 60000, 2)]})
    assert len(many) < 120
    assert accepts([many], many)
    assert not accepts([f"{NAME}:192.0.2.1:tcp/1-65535"], many)


def test_an_old_name_passes_no_unknown_ports() -> None:
    partial = build.target([443], unknown=[{"protocol": "tcp", "ports": "5000-65535"}], status="partial")
    evidence = build.host_evidence([build.declared(443, reachable_from=["internet"])], [build.listener(443)])
    for name, passed in (
        ("web1:scan-partial@internet", False),
        (f"web1:scan-partial@internet:{build.ADDRESS}:tcp/5000-65535", True),
        ("*:scan-partial@internet:*:tcp/1-65535", True),
    ):
        results = build.judged(evidence, [build.scan([partial])], build.run(accept_gaps=[name]))
        assert results["gate"]["passed"] is passed


def test_silent_ports_of_a_declared_range_are_one_name_that_stays() -> None:
    declared = [build.declared("10000-10010", protocol="udp", reachable_from=["internet"], required=False)]
    names = set()
    for silent in ((10001, 10004), (10002,)):
        heard = [build.listener(port, protocol="udp") for port in silent]
        target = build.target()
        target["states"].append(
            {"protocol": "udp", "state": "open|filtered", "reason": "x", "ports": ",".join(map(str, silent))}
        )
        results = build.judged(build.host_evidence(declared, heard), [build.scan([target])])
        names |= {row["gap"] for row in results["findings"] if row["rule"] == "blocked-service" and row["gap"]}
    assert names == {"web1:no-answer:udp/10000-10010@internet"}


@pytest.mark.parametrize(
    ("how", "cause"),
    [({"status": "failed", "states": [], "endpoints": []}, "scan-failed"), ({"status": "untrusted"}, "scan-untrusted")],
)
def test_a_gap_of_one_address_is_not_that_of_another(how: Json, cause: str) -> None:
    addresses = [build.ADDRESS, "2001:db8::11"]
    evidence = build.host_evidence(
        [build.declared(443, reachable_from=["internet"])],
        outside_addresses={"default": addresses},
        listening=build.listening([build.listener(443)], map(build.own_address, addresses)),
    )
    targets = [{**build.target([443], address=address), "reason": "x", **how} for address in addresses]
    one, other = f"web1:{cause}@internet:{build.ADDRESS}", f"web1:{cause}@internet:[2001:db8::11]"
    for accepted, passed in (([one], False), ([one, other], True), ([f"web1:{cause}@internet:*"], True)):
        results = build.judged(evidence, [build.scan(targets)], build.run(accept_gaps=accepted))
        names = [row["gap"] for row in results["findings"] if row["gap"] and row["rule"] == "not-assessed"]
        assert sorted(names) == sorted((one, other))
        broken = [row for row in results["findings"] if row["breaks_gate"]]
        assert results["gate"]["passed"] is passed, broken


@pytest.mark.parametrize(
    ("accepted", "run", "status", "names"),
    [
        ([f"web1:scan-failed@internet:{build.ADDRESS}", "web2:unreachable"], {}, "fail", "web2:unreachable"),
        (["web1:*@office", "web2:unreachable"], {}, "fail", "web1:*@office, web2:unreachable"),
        (["web1:not-scanned@internet"], {"limit": "web1"}, None, ""),
        (["web2:unreachable"], {"left_out": ["web2"]}, None, ""),
        ([], {}, None, ""),
    ],
)
def test_an_acceptance_of_what_is_not_there_is_told(
    accepted: list[str], run: dict[str, object], status: str | None, names: str
) -> None:
    failed = build.target([], status="failed", reason="died", states=[], unknown=[])
    about = build.run(accept_gaps=accepted, **run)
    results = build.judged(build.host_evidence(), [build.scan([failed])], about)
    told = [row for row in results["findings"] if row["rule"] == "acceptance-unused"]
    assert [row["status"] for row in told] == ([status] if status else [])
    assert all(row["message"].endswith(f"is not there: {names}") for row in told)
    assert all(not row["breaks_gate"] for row in told)
