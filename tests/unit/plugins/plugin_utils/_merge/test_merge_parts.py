# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same evidence in one run or in parts gives the same verdict, and no lost part can make it green."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.atomic import sha256_of
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.history_file import open_outside
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS, RELISTED
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.reachable import SCANS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.plugins.plugin_utils._history.stages import recall, remember
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.merge_parts import merge_parts
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.seal_part import head_of_part, pack_part
from ansible_collections.vigil.ports.plugins.plugin_utils._verification.verify_run import verify_run
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import campaigns as made
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils.sealed_runs import allow, new_key


@pytest.fixture
def report_dir(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """The report directory of the workers."""
    return tmp_path / "away"


def _slices(away: Path, **more: Any) -> list[RunDirectory]:
    """Two slices that list, and a job that scans: what a campaign consists of."""
    return [
        made.part_at(away, ("web1", "web3"), shown=("web1", "web3"), minutes=2, **more),
        made.part_at(away, ("web2", "web4"), minutes=0, **more),
        made.part_at(away, inside=False, scanned=["internet"], minutes=1, **more),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_same_evidence_gives_the_same_hosts_and_findings_byte_for_byte(
    report_dir: Path, away: Path, tmp_path: Path, seed: int
) -> None:
    parts = _slices(away)
    packed = pack_part(parts[0], tmp_path / "sent")
    paths = [packed, parts[1].path, parts[2].path]
    random.Random(seed).shuffle(paths)  # noqa: S311 - an order, the same each time
    merged = made.merged_run(report_dir, *paths)
    assert made.judged(merged) == made.judged(made.one_run(tmp_path / "one"))
    assert "part" not in " ".join(made.gaps(merged))


def test_scans_of_one_vantage_point_in_several_parts_are_the_scan_of_one_run(
    report_dir: Path, away: Path, tmp_path: Path
) -> None:
    listing = made.part_at(away)
    scans = [
        made.part_at(away, pair, inside=False, scanned=["internet"], minutes=minutes)
        for minutes, pair in enumerate((made.HOSTS[:1], made.HOSTS[1:]), 1)
    ]
    merged = made.merged_run(report_dir, listing.path, *(one.path for one in scans))
    assert made.judged(merged) == made.judged(made.one_run(tmp_path / "one"))


@pytest.mark.parametrize("lost", [0, 1])
def test_hosts_of_a_lost_part_are_gaps_by_name(report_dir: Path, away: Path, lost: int) -> None:
    parts = _slices(away)
    hosts = parts[lost].read_run()["hosts"]
    shutil.rmtree(parts[lost].path)
    merged = made.merged_run(report_dir, away)
    assert {f"{host}:no-part" for host in hosts} == {name for name in made.gaps(merged) if "no-part" in name}
    assert not made.passed(merged)


def test_a_lost_scan_leaves_every_host_not_scanned(report_dir: Path, away: Path) -> None:
    parts = _slices(away)
    shutil.rmtree(parts[2].path)
    merged = made.merged_run(report_dir, away)
    assert {f"{host}:not-scanned@internet" for host in made.HOSTS} <= made.gaps(merged)
    assert not made.passed(merged)


def test_no_parts_at_all_leave_every_host_a_gap(report_dir: Path, away: Path) -> None:
    away.mkdir()
    merged = made.merged_run(report_dir, away, away / "worker3.tar")
    assert made.gaps(merged) >= {"part:away:missing", "part:worker3.tar:missing"}
    assert made.gaps(merged) >= {f"{host}:no-part" for host in made.HOSTS}
    assert not made.passed(merged)


@pytest.mark.parametrize(
    ("kind", "asked", "more"),
    [
        ("another-campaign", {"campaign": "weekly"}, {}),
        ("another-version", {"versions": {"vigil.ports": "0.1.0"}}, {}),
        ("another-inventory", {"inventory": {"commit": "a" * 40, "dirty": False}}, {}),
        ("other-settings", {"verify_bind": "never"}, {}),
        ("too-old", {"minutes": -3000}, {}),
        ("too-old", {}, {"max_age": 60}),
        ("in-the-future", {"minutes": 1500}, {}),
        ("in-the-future", {"minutes": 90}, {}),
    ],
)
def test_a_part_that_is_another_than_expected_is_a_gap_and_not_used(
    report_dir: Path, away: Path, kind: str, asked: dict[str, Any], more: dict[str, Any]
) -> None:
    part = made.part_at(away, **asked)
    commit = {"asked": {"inventory": {"commit": "b" * 40, "dirty": False}}}
    merged = made.merged_run(report_dir, away, **commit, **more)
    names = made.gaps(merged)
    assert f"part:{part.run_id}:{kind}" in names
    assert {f"{host}:no-part" for host in made.HOSTS} <= names
    assert made.about_merge(merged)["parents"] == []
    assert not made.passed(merged)


def test_a_part_of_an_inventory_with_other_groups_or_hosts_is_not_used(report_dir: Path, away: Path) -> None:
    groups = made.part_at(away)
    other = json.loads((groups.path / "evidence/run.json").read_bytes())
    shutil.rmtree(groups.path)
    part = made.part_at(away, part={**other["part"], "inventory": "0" * 64})
    stranger = made.part_at(away, ("web1",), minutes=1, left_out=["db1"])
    names = made.gaps(made.merged_run(report_dir, away))
    assert {f"part:{one.run_id}:another-inventory" for one in (part, stranger)} <= names


def test_a_scan_of_another_depth_or_vantage_point_is_not_used(report_dir: Path, away: Path) -> None:
    made.part_at(away)
    shallow = made.part_at(away, inside=False, scanned=["internet"], minutes=1, scan_depth="known")
    moved = [{"name": "internet", "scanners": ["elsewhere"]}]
    other = made.part_at(away, inside=False, scanned=["internet"], minutes=2, vantages=moved)
    names = made.gaps(made.merged_run(report_dir, away))
    assert {f"part:{one.run_id}:other-settings" for one in (shallow, other)} <= names
    assert "web1:not-scanned@internet" in names


def test_a_whole_run_is_no_part(report_dir: Path, tmp_path: Path) -> None:
    whole = made.one_run(tmp_path / "whole")
    names = made.gaps(made.merged_run(report_dir, whole.path))
    assert f"part:{whole.path.name}:unreadable" in names  # its results are nothing that a part has
    assert "web1:no-part" in names


def test_evidence_that_was_sealed_without_being_a_part_is_none(report_dir: Path, away: Path) -> None:
    part = made.part_at(away, sealed=False)
    asked = part.read_run()
    part.write_run({key: value for key, value in asked.items() if key != "part"})
    seal(part, head_of_part(part, part.read_run()), made.OPENED)
    names = made.gaps(made.merged_run(report_dir, part.path))
    assert f"part:{part.run_id}:no-part" in names
    assert "web1:no-part" in names


def test_what_a_manifest_says_besides_digests_cannot_be_edited(report_dir: Path, away: Path) -> None:
    part = made.part_at(away)
    part.manifest.write_bytes(part.manifest.read_bytes().replace(b"operator", b"somebody"))
    names = made.gaps(made.merged_run(report_dir, away))
    assert f"part:{part.run_id}:changed" in names
    assert "web1:no-part" in names


def test_second_listings_go_with_the_part_that_made_them(report_dir: Path, away: Path, tmp_path: Path) -> None:
    again = build.relisted([build.listener(443)], [build.bound("free", "6379")])
    whole = made.opened_run(tmp_path / "one")
    for host in made.HOSTS:
        whole.write(HOSTS, made.listed(host))
    whole.write(RELISTED, again)
    whole.put_scan("internet", build.share(map(made.seen, made.HOSTS)))
    made.sealed(whole)
    part = made.part_at(away, scanned=["internet"], sealed=False)
    part.write(RELISTED, again)
    made.seal_part(part, made.OPENED)
    merged = made.merged_run(report_dir, away)
    assert merged.read(RELISTED, "web1") == again
    assert made.judged(merged) == made.judged(whole)
    assert verify_run(merged).problems == ()


@pytest.mark.parametrize(
    "file", ["evidence/run.json", "evidence/seal.json", "evidence/hosts/web2.json", "manifest.json"]
)
@pytest.mark.parametrize("how", ["cut", "edited", "gone"])
def test_a_part_that_was_cut_or_edited_is_not_used(report_dir: Path, away: Path, file: str, how: str) -> None:
    part = made.part_at(away)
    path = part.path / file
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(
            data[: len(data) // 2] if how == "cut" else data.replace(b"web", b"wab", 1).replace(b"2026", b"2025")
        )
    merged = made.merged_run(report_dir, away)
    assert any(name.startswith("part:") for name in made.gaps(merged)), made.gaps(merged)
    assert {f"{host}:no-part" for host in made.HOSTS} <= made.gaps(merged)
    assert not made.passed(merged)


def test_a_part_signed_by_a_stranger_or_by_nobody_is_not_used(report_dir: Path, away: Path, tmp_path: Path) -> None:
    ours, theirs = new_key(tmp_path, "ours"), new_key(tmp_path, "theirs")
    parts = [
        made.part_at(away, (host,), minutes=number, key=key)
        for number, (host, key) in enumerate(zip(made.HOSTS, (ours, theirs, None), strict=False))
    ]
    merged = made.merged_run(report_dir, away, allowed_signers=allow(tmp_path / "allowed", ours))
    names = made.gaps(merged)
    assert {f"part:{one.run_id}:signature" for one in parts[1:]} == {name for name in names if "signature" in name}
    assert {name for name in names if "no-part" in name} == {f"{host}:no-part" for host in made.HOSTS[1:]}
    assert [one["fingerprint"] is not None for one in made.about_merge(merged)["parents"]] == [True]


def test_a_part_that_comes_twice_is_used_once_and_said(report_dir: Path, away: Path, tmp_path: Path) -> None:
    parts = _slices(away)
    packed = pack_part(parts[0], tmp_path / "sent")
    merged = made.merged_run(report_dir, away, packed)
    assert made.gaps(merged) >= {f"part:{parts[0].run_id}:twice"}
    assert "web1:no-part" not in made.gaps(merged)
    assert not made.passed(merged)


def test_parts_of_one_name_that_differ_are_both_refused(report_dir: Path, away: Path, tmp_path: Path) -> None:
    part = made.part_at(away)
    other = RunDirectory(tmp_path / "other" / part.run_id)
    shutil.copytree(part.path, other.path)
    (other.path / "manifest.json").unlink()
    (other.path / "evidence/seal.json").unlink()
    other.write(HOSTS, made.listed("web1", [443]))
    made.seal_part(other, made.OPENED)
    names = made.gaps(made.merged_run(report_dir, part.path, other.path))
    assert f"part:{part.run_id}:ambiguous" in names
    assert {f"{host}:no-part" for host in made.HOSTS} <= names


def test_parts_that_disagree_are_both_kept_and_the_newer_is_judged(report_dir: Path, away: Path) -> None:
    older = made.part_at(away, ("web1", "web2"))
    newer = made.part_at(
        away, ("web1", "web2"), minutes=9, listings=[made.listed("web1", (443, 25)), made.listed("web2")]
    )
    made.part_at(away, ("web3", "web4"), minutes=3)
    made.part_at(away, inside=False, scanned=["internet"], minutes=1)
    merged = made.merged_run(report_dir, away)
    names = made.gaps(merged)
    assert {name for name in names if "twice" in name} == {f"part:{older.run_id}:twice:{newer.run_id}"}
    assert {name for name in names if "disagree" in name} == {"web1:parts-disagree"}
    judged = merged.read(HOSTS, "web1")
    assert judged is not None
    assert judged.listening is not None
    assert {one.port for one in judged.listening.listeners} == {443, 25}
    assert (merged.parts / older.run_id / "evidence/hosts/web1.json").is_file()
    assert verify_run(merged).problems == ()


def test_scans_that_disagree_are_both_kept_and_the_newer_is_judged(report_dir: Path, away: Path) -> None:
    made.part_at(away)
    made.part_at(away, inside=False, scanned=["internet"], minutes=1)
    later = [made.seen("web1", [443])]
    made.part_at(away, ("web1",), inside=False, scanned=["internet"], minutes=2, targets=later)
    merged = made.merged_run(report_dir, away)
    assert "web1:parts-disagree" in made.gaps(merged)
    scan = merged.read(SCANS, "internet")
    assert scan is not None
    of_web1 = [target for share in scan.shares for target in share.targets if target.host == "web1"]
    assert [{one.port for one in target.endpoints} for target in of_web1] == [{443}]
    assert verify_run(merged).problems == ()


@pytest.mark.parametrize("minutes", [-60, 61])
def test_a_clock_that_is_an_hour_off_is_said(report_dir: Path, away: Path, minutes: int) -> None:
    part = made.part_at(away, minutes=minutes)
    merged = made.merged_run(report_dir, away)
    kind = "clock" if minutes < 0 else "in-the-future"
    assert f"part:{part.run_id}:{kind}" in made.gaps(merged)
    assert not made.passed(merged)


def test_a_part_whose_job_was_killed_is_named_by_its_directory(report_dir: Path, away: Path) -> None:
    part = made.part_at(away, sealed=False)
    names = made.gaps(made.merged_run(report_dir, away))
    assert f"part:{part.run_id}:unsealed" in names


def test_a_part_has_no_verdict_and_is_not_the_latest(away: Path) -> None:
    part = made.part_at(away)
    with pytest.raises(EvidenceError, match=r"Part of campaign nightly: it has no verdict of its own"):
        judge_run(part)
    assert not (part.path / "results.json").exists()
    assert not (part.path.parent / "latest").exists()


@pytest.mark.parametrize("signed", [False, True])
def test_verify_finds_a_part_whole_and_an_edited_one_not(away: Path, tmp_path: Path, signed: bool) -> None:
    part = made.part_at(away, scanned=["internet"], key=new_key(tmp_path) if signed else None)
    assert verify_run(part).problems == ()
    part.manifest.write_bytes(part.manifest.read_bytes().replace(b"operator", b"somebody"))
    assert "manifest.json" in {one.file for one in verify_run(part).problems}


def test_verify_follows_the_parents(report_dir: Path, away: Path, tmp_path: Path) -> None:
    key = new_key(tmp_path, "ours")
    _slices(away, key=key)
    allowed = allow(tmp_path / "allowed", key)
    merged = made.merged_run(report_dir, away, allowed_signers=allowed)
    verdict = verify_run(merged)
    assert verdict.problems == ()
    assert any("merged from 3 parts" in note for note in verdict.notes)
    parents = json.loads(merged.manifest.read_bytes())["parents"]
    assert [one["manifest_sha256"] for one in parents] == [
        sha256_of(merged.parts / one["run_id"] / "manifest.json") for one in parents
    ]


def _reseal(run: RunDirectory) -> None:
    """As somebody who can write the directory would: the run is made to be as it is now."""
    for name in ("manifest.json", "evidence/seal.json", "results.json"):
        (run.path / name).unlink()
    made.sealed(run)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("evidence/hosts/web1.json", b"6379", b"6380"),
        ("evidence/scans/internet.json", b"6379", b"6380"),
        ("evidence/merge.json", b'"without_part":["web2","web4"]', b'"without_part":["web2"]'),
        ("evidence/parts/*/evidence/run.json", b"operator", b"somebody"),
        ("evidence/parts/*/manifest.json", b"operator", b"somebody"),
        ("evidence/parts/*/manifest.json.sig", b"A", b"B"),
    ],
)
def test_a_merged_run_that_was_edited_and_sealed_again_does_not_follow_from_its_parents(
    report_dir: Path, away: Path, tmp_path: Path, file: str, before: bytes, after: bytes
) -> None:
    parts = _slices(away, key=new_key(tmp_path))
    shutil.rmtree(parts[1].path)
    merged = made.merged_run(report_dir, away)
    path = next(merged.path.glob(file))
    path.write_bytes(path.read_bytes().replace(before, after, 1))
    _reseal(merged)
    problems = verify_run(merged).problems
    assert problems
    assert all(one.file.startswith("evidence/") for one in problems), problems


def _interrupted() -> None:
    raise KeyboardInterrupt


def test_a_merge_that_was_killed_is_made_again(
    report_dir: Path, away: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _slices(away)
    before = {path: sha256_of(path) for path in away.rglob("*") if path.is_file()}
    run = made.opened_run(report_dir)
    with monkeypatch.context() as patch:
        patch.setattr(os, "sync", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            merge_parts(run, [away], made.expected_of(run))
    with pytest.raises(EvidenceError, match="merge was cut short"):
        judge_run(run)
    assert {path: sha256_of(path) for path in away.rglob("*") if path.is_file()} == before
    merge_parts(run, [away], made.expected_of(run))
    assert made.judged(made.sealed(run)) == made.judged(made.one_run(tmp_path / "one"))
    assert verify_run(run).problems == ()


def test_nothing_is_merged_into_a_sealed_run(report_dir: Path, away: Path) -> None:
    _slices(away)
    merged = made.merged_run(report_dir, away)
    with pytest.raises(EvidenceError, match="the run is sealed"):
        merge_parts(merged, [away], made.expected_of(merged))
    assert verify_run(merged).problems == ()


def test_a_scanner_that_a_part_reached_is_named_as_the_part_reached_it(report_dir: Path, away: Path) -> None:
    made.part_at(away)
    elsewhere = {"control1": {"addresses": ["198.51.100.7"], "is_control": True}}
    made.part_at(away, inside=False, scanned=["internet"], minutes=1, scanners=elsewhere)
    merged = made.merged_run(report_dir, away)
    manifest = json.loads(merged.manifest.read_bytes())
    assert manifest["vantages"][0]["scanners"][0]["addresses"] == ["198.51.100.7"]


def test_a_part_asks_the_history_of_all_and_records_no_other_part(report_dir: Path, away: Path, tmp_path: Path) -> None:
    """Before it judges, a run records the complete ones beside it; beside a part lie parts, which have no results."""
    url = f"sqlite:///{tmp_path}/history.db"
    first = made.one_run(report_dir)
    assert recall(first, url, is_on=True).problems == ()
    assert remember(first, url, keep_days=0).state == "recorded"
    made.part_at(away)
    scan = made.part_at(away, inside=False, scanned=["internet"], minutes=1, sealed=False)
    told = recall(scan, url, is_on=True)
    assert (told.state, told.problems) == ("ok", ())
    assert ("web1", "tcp", 6379) in set(open_outside(scan.history) or ())
