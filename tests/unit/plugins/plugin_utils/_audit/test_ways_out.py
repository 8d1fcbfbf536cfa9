# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways out of a finding do what they say when they are pasted, and hold nothing that somebody else named."""

from __future__ import annotations

import copy
import dataclasses
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.plugin_utils._audit import reconcile, ways_out
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.finding import Finding
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.host_view import HostView
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.rules.registry import CATALOGUE
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.loader import load_inventory
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain, taken_in
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.entry_yaml import variable_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.ways_out_text import ways_out_lines
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import hostile_text
from hypothesis import given
from hypothesis import strategies as st

Json = dict[str, Any]
#: 14 days and the 14 in which an exception is one that expires soon.
EXPIRES = "2026-12-18"
PACKAGE = {"name": "nginx-core", "version": "1.22", "manager": "dpkg"}


def host(**more: Any) -> Json:
    """A host with one failure of each rule that pasting can end."""
    declared = [
        build.declared(80, process="apache2", reachable_from=["internet"]),
        build.declared(81, reachable_from=["internet"], service="https"),
        build.declared(82),
        build.declared(83, reachable_from=["internet"]),
        build.declared(84, address=["192.0.2.0/24", "loopback"]),
        build.declared("85-87", protocol="udp", review_by="2026-01-01", required=False),
    ]
    listens = [build.listener(port) for port in (80, 81, 82, 83, 90, 91)]
    heard = [*listens, build.listener(92, "127.0.0.2"), build.listener(92), build.listener(93, "::1", v6only=None)]
    excused = [
        build.exception(95, expires="2026-11-19"),
        build.exception(90, expires="2026-11-25", rules=["undeclared-exposure"]),
    ]
    return build.host_evidence(declared, heard, excused, **more)


SEEN = build.target([80, 81, 82, 90, 91], asked="1-100")
SEEN["endpoints"][1]["service"] = build.service("ssh")
FILTERED = {**SEEN, "states": build.states([80, 81, 82, 90, 91], "1-97,100", "filtered")}
FILTERED["states"].append({"protocol": "tcp", "state": "closed", "reason": "reset", "ports": "99"})


def judged(evidence: HostEvidence) -> Json:
    return build.judged(evidence, [build.scan([FILTERED])])


def failed(results: Json) -> dict[str, Json]:
    return {row["id"]: row for row in results["findings"] if row["status"] == "fail"}


def pasted(evidence: HostEvidence, way: Json) -> HostEvidence:
    """The evidence with the entry where the note says, read back from its YAML."""
    changed = copy.deepcopy(evidence)
    written = yaml.safe_load("\n".join(variable_lines(way["variable"], [way["entry"]])))
    ((variable, (entry,)),) = plain(written).items()  # type: ignore[union-attr]
    layer = changed.inventory.setdefault(variable, [])
    if way["replaces"]:
        layer[int(re.findall(r"\[(\d+)\]", way["replaces"])[0])] = entry
    else:
        layer.append(entry)
    return changed


RULES = [
    ("undeclared-listener", "declare"),
    ("undeclared-exposure", "declare"),
    ("missing-listener", "declare"),
    ("wrong-owner", "declare"),
    ("wrong-service", "declare"),
    ("forbidden-exposure", "declare"),
    ("blocked-service", "declare"),
    ("review-overdue", "declare"),
    ("firewall-hole", "except"),
    *((rule, "except") for rule in ("undeclared-listener", "undeclared-exposure", "missing-listener", "wrong-owner")),
    *((rule, "except") for rule in ("wrong-service", "forbidden-exposure", "blocked-service", "review-overdue")),
    ("exception-expired", "except"),
    ("exception-expiring", "except"),
]


@pytest.mark.parametrize(("rule", "kind"), RULES)
def test_what_is_pasted_ends_the_finding_and_loads(rule: str, kind: str) -> None:
    before = failed(judged(host()))
    rows = [row for row in before.values() if row["rule"] == rule]
    assert rows, f"{rule} does not fail here"
    for row in rows:
        way = row["ways_out"][kind]
        assert way["entry"], way["note"]
        after = judged(pasted(host(), way))
        assert not [one for one in after["findings"] if one["gap"] == "web1:inventory-invalid"]
        assert row["id"] not in failed(after), f"{row['message']} fails still"
        if kind == "except" and way["replaces"] is None:
            assert "exception-expiring" not in {one["rule"] for one in failed(after).values()} - {
                one["rule"] for one in before.values()
            }
            (now,) = [one for one in after["findings"] if one["id"] == row["id"]]
            assert (now["status"], now["exception"]["expires"]) == ("excepted", EXPIRES)
            if way["entry"].get("address") == "0.0.0.0":  # every address of IPv4, as the socket
                continue
            others = {one["id"] for one in after["findings"] if one["status"] == "excepted"} - {row["id"]}
            assert others <= {one["id"] for one in judged(host())["findings"] if one["status"] == "excepted"}
        if way["variable"] == "vigil_ports__proposed":
            assert "unapproved" in build.failures(after)


def test_an_exception_for_a_proposal_has_no_placeholder_for_an_owner() -> None:
    evidence = host()
    filled = "FILL IN: who answers for it"
    evidence.inventory["vigil_ports__proposed"] = [build.declared(91, owner=filled, justification="FILL IN: why")]
    (row,) = [one for one in failed(judged(evidence)).values() if one["rule"] == "unapproved"]
    way = row["ways_out"]["except"]
    after = judged(pasted(evidence, way))
    assert way["entry"]["owner"] == "unassigned"
    assert not [one for one in after["findings"] if one["gap"] == "web1:inventory-invalid"]
    assert row["id"] not in failed(after)


@pytest.mark.parametrize("days", [0, 14, 60, 10**6])
def test_an_exception_that_is_pasted_is_not_at_once_one_that_expires_soon(days: int) -> None:
    run = build.run()
    run["settings"]["expiring_days"] = days
    evidence = build.host_evidence([], [build.listener(90)])
    (row,) = failed(build.judged(evidence, [], run)).values()
    after = build.judged(pasted(evidence, row["ways_out"]["except"]), [], run)
    rest = {one["rule"] for one in failed(after).values()}
    assert rest <= ({"exception-expiring", "too-broad"} if days == 10**6 else set())  # the calendar ends before


@pytest.mark.parametrize("rule", sorted(CATALOGUE))
def test_each_failing_rule_says_what_can_be_done(rule: str) -> None:
    rows = [row for row in hostile_text.results()["findings"] if row["rule"] == rule and row["status"] == "fail"]
    for row in rows:
        ways = row["ways_out"]
        for kind in ("declare", "except"):
            assert ways[kind]["note"]
            if ways[kind]["entry"] is not None:
                lines = variable_lines(ways[kind]["variable"], [ways[kind]["entry"]])
                variables: Any = plain(yaml.safe_load("\n".join(lines)))
                assert load_inventory(variables)[1] == ()
        assert bool(ways["close"]["commands"]) != bool(ways["close"]["note"])


def test_what_did_not_fail_has_no_way_out() -> None:
    rows = hostile_text.results()["findings"]
    assert all((row["ways_out"] is not None) == (row["status"] == "fail") for row in rows)


def closing(**more: Any) -> Json:
    owner = {"package": PACKAGE, **more.pop("owner", {})}
    results = judged(build.host_evidence([], [build.listener(96, owners=[build.owner(**owner)], **more)]))
    (row,) = [row for row in results["findings"] if row["port"] == 96 and row["rule"] == "undeclared-listener"]
    close: Json = row["ways_out"]["close"]
    return close


def commands(close: Json) -> list[str]:
    return [one["command"] for one in close["commands"]]


def test_a_service_is_stopped_or_its_package_removed_by_the_manager_that_was_seen() -> None:
    stop = "systemctl disable --now -- nginx.service"
    assert commands(closing()) == [stop, "apt-get remove -- nginx-core"]
    for manager, command in (("rpm", "dnf remove -- nginx-core"), ("apk", "apk del -- nginx-core")):
        assert commands(closing(owner={"package": {**PACKAGE, "manager": manager}})) == [stop, command]
    assert commands(closing(owner={"package": {**PACKAGE, "manager": "guix"}})) == [stop]
    assert commands(closing(owner={"package": None})) == [stop]


def test_a_socket_unit_goes_with_what_it_starts() -> None:
    held = {"pid": 1, "name": "systemd", "unit": "init.scope", "executable": "/usr/lib/systemd/systemd"}
    close = closing(
        unit="echo.socket", activates="echo.service", owner={**held, "package": {**PACKAGE, "name": "systemd"}}
    )
    assert commands(close) == ["systemctl disable --now -- echo.service echo.socket"]


@pytest.mark.parametrize(
    "more",
    [
        {"unit": "ssh.service", "owner": {"unit": "ssh.service"}},
        {"unit": "sshd@1.service", "owner": {"unit": "sshd@1.service"}},
        {"unit": "session-3.scope", "owner": {"unit": "session-3.scope"}},
        {"unit": None, "owner": {"unit": None}},
        {"namespace": "netns/blue"},
        {"owner": {"container": "web"}},
    ],
)
def test_a_command_that_would_do_harm_or_nothing_is_not_offered(more: Json) -> None:
    if "namespace" in more:
        listening = build.listening(
            [build.listener(96, **more)], namespaces={"asked": "all", "seen": ["host", "netns/blue"], "missed": []}
        )
        rows = judged(build.host_evidence(listening=listening))["findings"]
        close = next(row["ways_out"]["close"] for row in rows if row["rule"] == "undeclared-listener")
    else:
        close = closing(**more)
    assert close["commands"] == []
    assert close["note"]


def test_an_interpreter_is_not_removed_for_what_runs_in_it() -> None:
    package = {**PACKAGE, "name": "python3.11-minimal"}
    close = closing(owner={"executable": "/usr/bin/python3.11", "name": "python3", "package": package})
    assert commands(close) == ["systemctl disable --now -- nginx.service"]


@pytest.mark.parametrize("payload", hostile_text.PAYLOADS)
def test_a_hostile_name_is_nowhere_to_paste(payload: str) -> None:
    unpasteable(payload)


@given(st.text(min_size=1, max_size=30).filter(lambda text: not re.fullmatch(r"[A-Za-z0-9_./:@+-]*", text)))
def test_no_name_but_a_plain_one_is_pasted(text: str) -> None:
    unpasteable(text)


def unpasteable(payload: str) -> None:
    """A process, user, unit, service and package of that name: none of it reaches an entry or a command."""
    named = {"name": payload, "executable": f"/usr/bin/{payload}", "user": payload, "unit": f"{payload}.service"}
    owner = build.owner(**named, package={"name": payload, "version": None, "manager": "dpkg"})
    heard: Any = build.listener(96, user=payload, unit=f"{payload}.service", owners=[owner])
    seen: Any = build.target([96], endpoints=[build.endpoint(96, service=build.service(payload))])
    if payload != payload.encode("utf-8", "replace").decode("utf-8"):
        heard, seen = taken_in(heard), taken_in(seen)  # half a character is made visible where it comes in
    results = build.judged(build.host_evidence([build.declared(96, process="nginx")], [heard]), [build.scan([seen])])
    rows = [row for row in results["findings"] if row["ways_out"]]
    assert rows
    for row in rows:
        for kind in ("declare", "except"):
            entry = row["ways_out"][kind]["entry"] or {}
            for value in entry.values():
                assert not re.search(r"[{][{%#]|\n", str(value))
            for key in entry.keys() & {"process", "user", "unit", "service"}:
                assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]*", entry[key])
        for one in row["ways_out"]["close"]["commands"]:
            assert re.fullmatch(r"[A-Za-z0-9_.:@/ +-]+", one["command"])
            assert shlex.split(one["command"])[0] in ("systemctl", "apt-get")


def test_a_declaration_that_holds_a_template_is_not_offered() -> None:
    entry = build.declared(99, justification="see {{ lookup('pipe', 'id') }}")
    (row,) = [row for row in judged(build.host_evidence([entry]))["findings"] if row["rule"] == "missing-listener"]
    assert row["ways_out"]["declare"]["entry"] is None


def test_the_body_of_a_failure_holds_the_ways_out() -> None:
    row = next(row for row in judged(host())["findings"] if row["rule"] == "undeclared-listener")
    text = "\n".join(ways_out_lines(row["ways_out"]))
    assert "vigil_ports__proposed:\n    - port: 90" in text
    assert "systemctl disable --now -- nginx.service" in text


@given(
    st.dictionaries(
        st.sampled_from(["a", "b"]), st.one_of(hostile_text.anything, st.integers(), st.booleans(), st.lists(st.text()))
    )
)
def test_any_text_comes_back_from_its_yaml(entry: Json) -> None:
    assert all(" " <= one <= "~" or one == "\n" for one in "\n".join(variable_lines("v", [entry])))
    if entry and not re.search("[\ud800-\udfff]", "".join(map(str, entry.values()))):
        assert yaml.safe_load("\n".join(variable_lines("v", [entry]))) == {"v": [entry]}


class _Counted(tuple[Any, ...]):
    """Endpoints that count how often they are gone through."""

    walks = 0

    def __iter__(self) -> Iterator[Any]:
        type(self).walks += 1
        return super().__iter__()


def test_the_endpoints_of_a_host_are_not_gone_through_for_each_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    views: dict[int, HostView] = {}

    def counted(view: HostView, finding: Finding) -> Finding:
        if id(view) not in views:
            targets = [dataclasses.replace(one, endpoints=_Counted(one.endpoints)) for one in view.targets]
            views[id(view)] = dataclasses.replace(view, targets=tuple(targets))
        return ways_out.with_ways_out(views[id(view)], finding)

    monkeypatch.setattr(reconcile, "with_ways_out", counted)
    ports = range(8000, 8100)
    listening = [build.listener(port) for port in ports]
    results = build.judged(build.host_evidence([], listening), [build.scan([build.target(ports)])])
    assert len(build.failures(results)) >= 2
    assert 1 <= _Counted.walks <= 3
