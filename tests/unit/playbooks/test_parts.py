# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slices of an inventory that ansible-playbook gathers as parts, and the playbook that merges them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Ended, Playbooks

HOSTS = ("web1", "web2")
#: As in a slice: the scanners are elsewhere.
ELSEWHERE = [{"name": "internet", "scanners": ["far1"]}]


def _sent(playbook: Playbooks) -> Path:
    return playbook.folder / "sent"


def _part(playbook: Playbooks, hosts: tuple[str, ...], campaign: str = "nightly", **more: Any) -> Ended:
    """A slice of the inventory: it has these hosts and no others."""
    asked = {
        "vigil_vantages": ELSEWHERE,
        "audit_hosts": ",".join(hosts),
        "audit_part": campaign,
        "audit_part_archive_dir": str(_sent(playbook)),
        "audit_scan_depth": "common",
        **more,
    }
    return playbook(hosts=hosts, variables=asked)


def _merge(playbook: Playbooks, hosts: tuple[str, ...] = HOSTS, **more: Any) -> Ended:
    asked = {
        "audit_hosts": "web*",
        "audit_merge": "nightly",
        "audit_merge_parts": [str(_sent(playbook))],
        **more,
    }
    return playbook("vigil.ports.merge", hosts=hosts, variables=asked)


def test_slices_without_their_scanners_are_gathered_and_judged_together(playbook: Playbooks) -> None:
    for host in HOSTS:
        part = _part(playbook, (host,))
        assert part.exit_status == 0, part.output
        assert "Part of campaign nightly: it has no verdict of its own; vigil.ports.merge judges it." in part.output
        assert "PASSED" not in part.output
    assert not (playbook.report_dir / "latest").exists()
    merged = _merge(playbook)
    assert "Merged from 2 parts of a campaign." in merged.said, merged.output
    results = merged.read("results.json")
    assert [row["host"] for row in results["hosts"]] == ["web1", "web2"]
    assert len(results["run"]["merged"]["parents"]) == 2
    assert not [name for name in merged.gaps() if name.startswith("part:") or "no-part" in name]
    report = (merged.report_dir / "latest/report.md").read_text(encoding="utf-8")
    assert "Merged from 2 parts of campaign `nightly`" in report
    assert all(one["run_id"] in report for one in results["run"]["merged"]["parents"])


def test_a_slice_that_got_lost_is_red(playbook: Playbooks) -> None:
    _part(playbook, ("web1",))
    merged = _merge(playbook)
    assert merged.exit_status == 2, merged.output
    assert "web2:no-part" in merged.gaps()


def test_verify_knows_a_part_and_a_merged_run(playbook: Playbooks) -> None:
    for host in HOSTS:
        _part(playbook, (host,))
    merged = _merge(playbook)
    part = next((playbook.report_dir / "parts/nightly").glob("2*"))
    for run in (part, (merged.report_dir / "latest").resolve()):
        verified = playbook("vigil.ports.verify", variables={"run_dir": str(run)})
        assert verified.exit_status == 0, verified.output
        assert "Verification PASSED" in verified.output


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"audit_part": "../else"}, "is no name of a campaign"),
        ({"audit_part_vantages": ["intranet"]}, "is no vantage point"),
        ({"audit_part_vantages": ["internet"]}, "the scanner is not in the inventory"),
        ({"audit_part_inside": False}, "the part would look at nothing"),
        ({"audit_part_vantages": "internet"}, "has to be a list"),
    ],
)
def test_a_part_that_makes_no_sense_is_refused_before_anything_is_looked_at(
    playbook: Playbooks, more: dict[str, Any], said: str
) -> None:
    ended = _part(playbook, ("web1",), **more)
    assert ended.exit_status != 0
    assert said in ended.said, ended.output
    assert not list(playbook.report_dir.glob("parts/*"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"audit_merge_parts": []}, "A merge needs audit_merge"),
        ({"audit_merge": ""}, "A merge needs audit_merge"),
        ({"audit_part": "nightly"}, "it is no part itself"),
        ({"audit_merge": "a b"}, "is no name of a campaign"),
        ({"audit_merge_max_age": 0}, "is no age"),
        ({"audit_merge_signer": "me"}, "give allowed_signers as well"),
        ({"audit_hosts": "nobody*"}, "no host is expected"),
    ],
)
def test_a_merge_that_makes_no_sense_is_refused(playbook: Playbooks, more: dict[str, Any], said: str) -> None:
    _sent(playbook).mkdir()
    ended = _merge(playbook, **more)
    assert ended.exit_status != 0
    assert said in ended.said, ended.output
    assert not (playbook.report_dir / "latest").exists()
