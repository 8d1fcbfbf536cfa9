# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The review sheet proposes nothing for removal that was only not seen, and shows every declaration."""

from __future__ import annotations

import datetime as dt
from typing import Any

import cmarkgfm
import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.reconcile import Audit, evidence_of
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._review.review_markdown import review_lines
from ansible_collections.vigil.ports.plugins.plugin_utils._review.review_run import Review
from ansible_collections.vigil.ports.plugins.plugin_utils._review.use import Use, Uses
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
TODAY = dt.date.fromisoformat(build.TODAY)


def endpoint(port: int, since: str, *, is_open: bool = False) -> Json:
    return {"protocol": "tcp", "namespace": "host", "port": port, "open": is_open, "since": since, "vantage": None}


def belief(*endpoints: Json, first_seen: str = "2026-01-05T08:00:00Z") -> Json:
    return {"first_seen": first_seen, "endpoints": list(endpoints), "findings": []}


def uses_of(*hosts: tuple[str, HostEvidence | None, Json | None]) -> Uses:
    audit = Audit(build.run([name for name, _evidence, _belief in hosts]), [])
    uses = Uses()
    for name, evidence, known in hosts:
        uses.add(name, audit.view(name, evidence_of(evidence and build.changed(evidence, host=name))), known)
    return uses


def only(uses: Uses) -> Use:
    [use] = uses.rows()
    return use


DECLARED = build.declared(443, required=False)


@pytest.mark.parametrize(
    ("known", "since", "may_go"),
    [
        (None, None, False),
        (belief(endpoint(443, "2026-08-22T10:00:00Z")), "2026-08-22", True),
        (belief(endpoint(443, "2026-08-23T10:00:00Z")), "2026-08-23", False),
        (belief(endpoint(443, "2026-02-01T10:00:00Z"), endpoint(443, "2026-11-01T10:00:00Z")), "2026-11-01", False),
        (belief(endpoint(443, "2026-02-01T10:00:00Z", is_open=True)), build.TODAY, False),
        (belief(endpoint(80, "2026-11-01T10:00:00Z")), "2026-01-05", True),
        (belief(first_seen="2026-11-01T10:00:00Z"), "2026-11-01", False),
    ],
)
def test_only_what_is_known_to_be_unused_for_long_may_go(known: Json | None, since: str | None, may_go: bool) -> None:
    use = only(uses_of(("web1", build.host_evidence([DECLARED]), known)))
    assert use.unused_since() == (None if since is None else dt.date.fromisoformat(since))
    assert use.may_go(TODAY, 90) is may_go


OLD = belief()
UNUSED = build.host_evidence([DECLARED])
NOT_LISTED = build.host_evidence([DECLARED], status="unreachable", message="no route", listening=None)


def test_one_host_that_uses_it_or_was_not_looked_at_keeps_it() -> None:
    assert only(uses_of(("web1", UNUSED, OLD), ("web2", UNUSED, OLD))).may_go(TODAY, 90)
    used = build.host_evidence([DECLARED], [build.listener(443)])
    kept = only(uses_of(("web1", UNUSED, OLD), ("web2", used, OLD)))
    assert (kept.in_use, list(kept.unused), kept.may_go(TODAY, 90)) == (["web2"], ["web1"], False)
    unseen = only(uses_of(("web1", UNUSED, OLD), ("web2", NOT_LISTED, OLD)))
    assert (unseen.unknown, unseen.may_go(TODAY, 90)) == (["web2"], False)
    assert not only(uses_of(("web1", UNUSED, OLD), ("web2", UNUSED, None))).may_go(TODAY, 90)


def test_the_same_entry_is_one_row_whatever_else_its_hosts_declare() -> None:
    other = build.host_evidence([DECLARED, build.declared(22)], (), [build.exception(8080)])
    excepted = build.host_evidence([DECLARED], (), [build.exception(8080)])
    uses = uses_of(("web1", other, OLD), ("web2", excepted, OLD))
    assert [(use.declaration.port.subject, use.hosts) for use in uses.rows()] == [
        (443, ["web1", "web2"]),
        (22, ["web1"]),
    ]
    assert [hosts for _exception, hosts in uses.exceptions()] == [["web1", "web2"]]


def test_a_host_whose_inventory_is_not_valid_is_named() -> None:
    uses = uses_of(("web1", build.changed(UNUSED, inventory={"vigil_ports": 1}), OLD), ("web2", None, OLD))
    assert uses.not_judged == ["web1", "web2"]
    assert uses.rows() == []


def sheet(uses: Uses, history: str = "ok") -> str:
    return "\n".join(review_lines(Review("run", TODAY, ("internet",), history, 90, uses)))


def section(text: str, title: str) -> str:
    return text.split(f"## {title} ")[1].split("\n## ")[0]


def test_the_sheet_shows_each_declaration_with_what_is_due() -> None:
    late = build.declared(22, review_by="2026-10-01", approved_by="netsec", change="CHG-7")
    evidence = build.host_evidence([DECLARED, late], [build.listener(22)], [build.exception(8080)])
    text = sheet(uses_of(("web1", evidence, OLD), ("web2", evidence, OLD)))
    assert "`tcp/443`" in section(text, "Proposed for removal")
    assert "not since `2026-01-05`" in section(text, "Proposed for removal")
    assert "`tcp/22`" in section(text, "Review overdue")
    assert "50 days ago" in section(text, "Review overdue")
    assert "`tcp/443`" in section(text, "Without approval")
    assert "`netsec` (`CHG-7`)" in section(text, "All declarations")
    assert "2: `web1`, `web2`" in section(text, "All declarations")
    assert "`tcp/8080`" in section(text, "Exceptions")


def test_what_history_cannot_tell_is_said() -> None:
    text = sheet(uses_of(("web1", UNUSED, None)), "unavailable")
    assert "Earlier runs are not known" in text
    assert "Proposed for removal (0)" in text
    assert "not known" in section(text, "All declarations")


def test_nothing_that_somebody_declares_becomes_markup() -> None:
    hostile = "<script>alert(1)</script> [a](http://evil.example) | @all `x` me@evil.example"
    declared = build.declared(443, justification=hostile, owner=hostile, approved_by=hostile, change=hostile)
    evidence = build.host_evidence([declared], (), [build.exception(1, reason=hostile, owner=hostile)])
    html = cmarkgfm.github_flavored_markdown_to_html(sheet(uses_of(("web1", evidence, OLD))))
    assert "<a " not in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
