# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One subject is one row, and no finding is lost in it."""

from __future__ import annotations

from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._reports.subjects import neighbours, subjects
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import hostile_text

Json = dict[str, Any]


def failed(ports: list[int], vantages: tuple[str, ...] = ("internet",)) -> list[Json]:
    evidence = build.host_evidence([], [build.listener(port) for port in ports])
    scans = [build.scan([build.target(ports)], vantage=name) for name in vantages]
    points = [{"name": name, "scanners": ["control1"]} for name in vantages]
    results = build.judged(evidence, scans, about=build.run(vantages=points))
    return [row for row in results["findings"] if row["status"] == "fail"]


def test_a_listener_and_what_each_vantage_point_saw_of_it_are_one_row() -> None:
    rows = failed([6379], ("dmz", "internet", "office"))
    assert len(rows) == 4
    (one,) = subjects(rows)
    assert one.endpoint == "tcp/6379"
    assert one.vantages == ("dmz", "internet", "office")
    assert one.rules == ("undeclared-exposure", "undeclared-listener")
    assert "listens on tcp/6379" in one.message
    assert "is open from" in one.message
    assert len(one.rows) == 4


def test_neighbouring_ports_of_which_the_same_is_wrong_are_one_row() -> None:
    found = subjects(failed([*range(8000, 8080), 9000]))
    assert [one.endpoint for one in found] == ["tcp/8000-8079", "tcp/9000"]
    assert "tcp/8000-8079" in found[0].message
    assert "tcp/8000 " not in found[0].message
    assert len(found[0].rows) == 160


def test_a_neighbour_of_which_something_else_is_said_has_a_row_of_its_own() -> None:
    rows = failed([8000, 8001, 8002])
    for key, value in (("open_since", "2026-11-01T00:00:00Z"), ("owner", "web-team"), ("message", "another thing")):
        other = [{**row, key: value} if row["port"] == 8001 else row for row in rows]
        assert [one.endpoint for one in subjects(other)] == ["tcp/8000", "tcp/8001", "tcp/8002"], key


def test_every_finding_is_in_one_subject_and_ways_out_are_numbered_in_order() -> None:
    rows = [row for row in hostile_text.results()["findings"] if row["status"] == "fail"]
    found = subjects(rows)
    assert sorted(row["id"] for one in found for row in one.rows) == sorted(row["id"] for row in rows)
    numbers = [one.way for one in found if one.way is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    ranks = [one.breaks_gate for one in found]
    assert ranks == sorted(ranks, reverse=True)


def test_rows_of_ports_fold_only_where_all_of_it_is_alike() -> None:
    rows = [
        {"protocol": "tcp", "namespace": "host", "port": port, "said": said}
        for port, said in zip((1, 2, 3, 5, "7-9"), "aabbb", strict=True)
    ]
    assert [span for span, _row in neighbours(rows, ("said",))] == ["1-2", "3", "5", "7-9"]
