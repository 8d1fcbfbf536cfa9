# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the findings of a run add up to. This module is private to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any


class Totals:
    """Counts over all hosts, kept while they are judged one after the other."""

    def __init__(self) -> None:
        self.in_scope = 0
        self.assessed = 0
        self.breaches = 0
        self.untold = 0
        self.finished = ""
        self.listed = 0
        self.listed_everywhere = 0
        self.legs: Counter[str] = Counter()  # on how many hosts each leg tells something
        self.accepted_gaps: set[str] = set()
        self.status = dict.fromkeys(("pass", "fail", "excepted", "not_assessed"), 0)
        self.severity = dict.fromkeys(("critical", "high", "medium", "low", "info"), 0)

    def add_legs(self, names: Iterable[str]) -> None:
        """The legs that tell something of one host."""
        self.legs.update(names)

    def add(self, host: Mapping[str, Any] | None, findings: Iterable[Mapping[str, Any]]) -> None:
        """Counts a host (None: what concerns the run) and its findings."""
        if host is not None:
            self.in_scope += 1
            self.assessed += host["assessed"]
            if host["coverage"]:
                self.listed += 1
                self.listed_everywhere += host["coverage"]["namespaces"]["asked"] == "all"
                self.finished = max(self.finished, host["coverage"]["finished"])
            if host["relisted"] and host["relisted"]["finished"]:
                self.finished = max(self.finished, host["relisted"]["finished"])
        for finding in findings:
            status = finding["status"]
            self.status[status] += 1
            if status == "fail":
                self.severity[finding["severity"]] += 1
                self.breaches += finding["breaks_gate"]
            elif status == "not_assessed":
                self.untold += finding["breaks_gate"]
                if finding["accepted"]:
                    self.accepted_gaps.add(finding["gap"])
