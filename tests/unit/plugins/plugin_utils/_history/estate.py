# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on disk as the stages of an audit make them, one after the other, without Ansible."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS, HostEvidence
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.plugins.plugin_utils._history.stages import Told, recall, remember
from ansible_collections.vigil.ports.plugins.plugin_utils._history.store import opened
from ansible_collections.vigil.ports.plugins.plugin_utils._history.timeline import Wanted, lives
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import write_reports
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

Json = dict[str, Any]
START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
SSH = [build.declared(22, reachable_from="any")]


def host(name: str, listeners: Iterable[Json] = (), **more: Any) -> HostEvidence:
    """What is on disk for a host that declares SSH."""
    return build.host_evidence(more.pop("ports", SSH), listeners, host=name, **more)


def scanned(name: str, opened_ports: Iterable[int], **more: Any) -> Json:
    return {**build.target(opened_ports, **more), "host": name}


class Estate:
    """``report_dir`` and the ``url`` of its database, empty for SQLite beside the runs."""

    def __init__(self, report_dir: Path, url: str) -> None:
        self.report_dir, self.url = report_dir, url
        report_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    def opened_run(
        self, hour: float, hosts: Mapping[str, HostEvidence | None], targets: Iterable[Json] = (), **more: Any
    ) -> RunDirectory:
        """A run with its evidence, not judged."""
        started = START + dt.timedelta(hours=hour)
        name = f"{started:%Y%m%dT%H%M%SZ}-{int(hour * 60) & 0xFFFFFF:06x}"
        run = RunDirectory(self.report_dir / name)
        for folder in (run.path / "evidence/hosts", run.path / "evidence/scans"):
            folder.mkdir(parents=True)
        run.write_run(build.run(list(hosts), run_id=name, started=f"{started:%Y-%m-%dT%H:%M:%SZ}", **more))
        for evidence in filter(None, hosts.values()):
            run.write(HOSTS, evidence)
        run.put_scan("internet", build.share(targets))
        return run

    def sealed(self, run: RunDirectory) -> RunDirectory:
        """The run judged, reported and sealed."""
        judge_run(run)
        results = read_results(run.results)
        write_reports(results, run.path)
        seal(run, results, START)
        return run

    def audit(
        self, hour: float, hosts: Mapping[str, HostEvidence | None], targets: Iterable[Json] = (), **more: Any
    ) -> RunDirectory:
        """The whole way of one audit."""
        run = self.opened_run(hour, hosts, targets, **more)
        self.recall(run)
        self.sealed(run)
        self.remember(run)
        return run

    def recall(self, run: RunDirectory, *, is_on: bool = True, patience: float = 30) -> Told:
        told = recall(run, self.url, is_on=is_on, patience=patience)
        shown = json.loads(run.history.read_bytes())
        build.validator("evidence").validate(shown)
        return told

    def remember(self, run: RunDirectory, keep_days: int = 400, patience: float = 30) -> Told:
        return remember(run, self.url, keep_days=keep_days, patience=patience)

    def lives(self, **wanted: str) -> list[Json]:
        with opened(self.url, self.report_dir) as history, history.reading() as connection:
            return lives(connection, Wanted(**wanted))

    def dump(self) -> Json:
        """Everything that history says: what is believed, and every change, whatever the order it was written in."""
        return {"lives": self.lives(), "before": self.known()}

    def known(self) -> list[Json]:
        from ansible_collections.vigil.ports.plugins.plugin_utils._history.recall import Recall

        with opened(self.url, self.report_dir) as history, history.reading() as connection:
            known = Recall(connection, [f"web{number}" for number in range(1, 6)])
            return [known.head(), *known.hosts()]


def results_of(run: RunDirectory) -> Json:
    found: Json = json.loads(run.results.read_bytes())
    build.validator("results").validate(found)
    return found


def changes_of(run: RunDirectory, since: str = "since_last") -> list[tuple[str, str, Any]]:
    return [(row["host"], row["kind"], row["rule"] or row["port"]) for row in results_of(run)["changes"][since]]
