# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs as the stages leave them: judged, rendered, sealed, and signed with a real key where one is given."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.provenance import versions
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.sealing import seal
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.signature import try_key
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.render import reports
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build

OPENED = dt.datetime(2026, 11, 20, 13, 15, tzinfo=dt.UTC)


def sealed_run(report_dir: Path, number: int = 0, key: Path | None = None, **asked: Any) -> RunDirectory:
    """The run that began so many hours after the first, with findings, gaps and a host without evidence."""
    now = OPENED + dt.timedelta(hours=number)
    run = RunDirectory.create(report_dir, now)
    evidence = build.host_evidence(
        [build.declared(443, reachable_from=["internet"]), build.declared(25)],
        [build.listener(443), build.listener(6379), build.listener(8080)],
        [build.exception(8080)],
    )
    opened = {
        "run_id": run.run_id,
        "signing": try_key(key)._asdict() if key else None,
        "versions": versions(),
        **asked,
    }
    run.write_run(build.run(["web1", "web2"], **opened))
    run.write(HOSTS, evidence)
    run.put_scan("internet", build.share([build.target([443, 6379])]))
    render(run)
    seal(run, read_results(run.results), now + dt.timedelta(minutes=5), key)
    return run


def render(run: RunDirectory) -> None:
    """Results and reports of a run, as the stages write them."""
    judge_run(run)
    for name, chunks in reports(read_results(run.results)):
        run.write_file(name, chunks)


def new_key(folder: Path, name: str = "key", kind: str = "ed25519", passphrase: str = "") -> Path:
    """A private key of ssh-keygen; the public one is beside it."""
    command = ("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", f"{name}@example.com", "-f", str(folder / name))
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return folder / name


def allow(file: Path, *keys: Path, namespaces: str = "vigil.ports") -> Path:
    """An allowed-signers file: each key belongs to the name of its file at example.com."""
    lines = [
        f'{key.name}@example.com namespaces="{namespaces}" {key.with_suffix(".pub").read_text(encoding="utf-8")}'
        for key in keys
    ]
    file.write_text("".join(lines), encoding="utf-8")
    return file
