# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns of four hosts: the same evidence in one run, and in parts that are merged."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.provenance import versions
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS as LISTINGS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.signature import try_key
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.checks import Expected
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.merge_parts import merge_parts
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.part import PARTS, InventoryNames
from ansible_collections.vigil.ports.plugins.plugin_utils._merge.seal_part import seal_part
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils.sealed_runs import render

CAMPAIGN = "nightly"
HOSTS = ("web1", "web2", "web3", "web4")
GROUPS: Mapping[str, Sequence[str]] = {"all": HOSTS, "ungrouped": (), "odd": ("web1", "web3"), "web": HOSTS}
#: The time of the evidence (``evidence_builders.TIME``) is a minute after parts are opened.
OPENED = dt.datetime(2026, 11, 20, 13, 14, tzinfo=dt.UTC)
MERGED = OPENED + dt.timedelta(minutes=30)


def address(host: str) -> str:
    return f"192.0.2.{HOSTS.index(host) + 10}"


def listed(host: str, ports: Iterable[int] = (443, 6379), **more: Any) -> HostEvidence:
    """A host that declares 443 to the internet and 25, which is missing; 6379 is undeclared."""
    evidence = {"host": host, "outside_addresses": {"default": [address(host)]}, **more}
    seen = {
        **build.listening(map(build.listener, ports), [build.own_address(address(host))]),
        "machine": build.machine(host, address(host)),
    }
    return build.host_evidence(
        [build.declared(443, reachable_from=["internet"]), build.declared(25)], **{"listening": seen, **evidence}
    )


def seen(host: str, opened: Iterable[int] = (443, 6379)) -> build.Json:
    """A host as it is seen from outside."""
    return build.target(opened, host=host, address=address(host))


def part_at(
    report_dir: Path,
    hosts: Sequence[str] = HOSTS,
    *,
    inside: bool = True,
    scanned: Sequence[str] = (),
    minutes: int = 0,
    key: Path | None = None,
    listings: Iterable[HostEvidence] | None = None,
    targets: Iterable[build.Json] | None = None,
    shown: Sequence[str] = HOSTS,
    campaign: str = CAMPAIGN,
    sealed: bool = True,
    **asked: Any,
) -> RunDirectory:
    """A part over some hosts, opened so many minutes after the first. ``shown`` is the inventory that it was given."""
    opened = OPENED + dt.timedelta(minutes=minutes)
    run = RunDirectory.create(report_dir / PARTS / campaign, opened)
    groups = {name: sorted({*shown} & {*members}) for name, members in GROUPS.items()}
    about = {
        "campaign": campaign,
        "inside": inside,
        "vantages": list(scanned),
        "inventory": InventoryNames(groups).digest(),
    }
    written = {
        "run_id": run.run_id,
        "started": f"{opened:%Y-%m-%dT%H:%M:%SZ}",
        "left_out": sorted({*shown} - {*hosts}),
        "signing": try_key(key)._asdict() if key else None,
        "versions": versions(),
        "part": about,
        **asked,
    }
    run.write_run(build.run(hosts, **written))
    if inside:
        for one in map(listed, hosts) if listings is None else listings:
            run.write(LISTINGS, one)
    for vantage in scanned:
        run.put_scan(vantage, build.share(map(seen, hosts) if targets is None else targets))
    if sealed:
        seal_part(run, opened + dt.timedelta(minutes=5), key)
    return run


def one_run(report_dir: Path) -> RunDirectory:
    """The same evidence in one run."""
    run = opened_run(report_dir)
    for host in HOSTS:
        run.write(LISTINGS, listed(host))
    run.put_scan("internet", build.share(map(seen, HOSTS)))
    return sealed(run)


def opened_run(report_dir: Path, **asked: Any) -> RunDirectory:
    """A run over the whole inventory, as the merge opens it."""
    run = RunDirectory.create(report_dir, MERGED)
    started = f"{MERGED:%Y-%m-%dT%H:%M:%SZ}"
    run.write_run(build.run(HOSTS, run_id=run.run_id, started=started, versions=versions(), **asked))
    return run


def expected_of(run: RunDirectory, **more: Any) -> Expected:
    """What the parts of the campaign have to be."""
    given = {"campaign": CAMPAIGN, "inventory": InventoryNames(GROUPS), "now": MERGED, "max_age": 86400}
    return Expected(asked=run.read_run(), **{**given, **more})


def merged_run(report_dir: Path, *paths: Path, asked: Mapping[str, Any] | None = None, **more: Any) -> RunDirectory:
    """Parts merged, judged, reported and sealed."""
    run = opened_run(report_dir, **(asked or {}))
    merge_parts(run, paths, expected_of(run, **more))
    return sealed(run)


def sealed(run: RunDirectory) -> RunDirectory:
    render(run)
    seal(run, read_results(run.results), MERGED + dt.timedelta(minutes=1))
    return run


def judged(run: RunDirectory) -> bytes:
    """The hosts and findings of a run, as they stand in the file."""
    return run.results.read_bytes().partition(b'"hosts":[\n')[2]


def gaps(run: RunDirectory) -> set[str]:
    """The names of all gaps."""
    return {row["gap"] for row in read_results(run.results)["findings"] if row["gap"]}


def passed(run: RunDirectory) -> bool:
    found: bool = read_results(run.results)["gate"]["passed"]
    return found


def about_merge(run: RunDirectory) -> build.Json:
    found: build.Json = json.loads(run.merged.read_bytes())
    return found
