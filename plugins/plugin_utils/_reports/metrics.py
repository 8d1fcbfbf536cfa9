# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``metrics.prom``: a run in numbers, in the text format that node_exporter's textfile collector reads.

https://prometheus.io/docs/instrumenting/exposition_formats/. This module is private to the collection.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .._audit.rules.registry import RULES
from .._evidence.results_file import Results

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


def stands_for_all(results: Results) -> bool:
    """Whether the numbers may take the place of those of the last complete run: not those of a part of the hosts
    (``--limit``), and not those of another day."""
    return results["run"]["limit"] is None and not results["run"].get("what_if")


def metrics(results: Results, ended: str, waiting: int, dropped: int) -> bytes:
    """The file. ``ended`` is when the run was sealed; ``waiting`` and ``dropped`` count alerts not delivered."""
    run, counts = results["run"], results["counts"]
    label = {"label": visible(run["label"] or "", 60)}
    hosts = results["coverage"]["hosts"]
    lines: list[str] = []

    def gauge(name: str, about: str, samples: Iterable[Sample] | float) -> None:
        each = [({}, samples)] if isinstance(samples, int | float) else samples
        lines.extend(_gauge(name, about, [({**label, **labels}, value) for labels, value in each]))

    gauge(
        "vigil_ports_findings",
        "Failed findings of the last complete run, by severity.",
        [({"severity": name}, count) for name, count in counts["severity"].items()],
    )
    gauge(
        "vigil_ports_checks",
        "Findings of the last complete run, by status.",
        [({"status": name}, count) for name, count in counts["status"].items()],
    )
    gauge(
        "vigil_ports_not_assessed", "What could not be told, and was not accepted by name.", results["gate"]["untold"]
    )
    gauge("vigil_ports_hosts_in_scope", "Hosts of the run.", hosts["in_scope"])
    gauge("vigil_ports_hosts_assessed", "Hosts of the run that were fully assessed.", hosts["assessed"])
    gauge("vigil_ports_gate_passed", "1 when nothing broke the gate.", int(results["gate"]["passed"]))
    gauge("vigil_ports_last_complete_run_timestamp_seconds", "When the run was complete.", _seconds(ended))
    gauge("vigil_ports_run_due_seconds", "After how long the next run is due, 0 for never.", run["settings"]["every"])
    gauge("vigil_ports_runs_missed", "Runs missing before this one.", (run["due"] or {}).get("missed", 0))
    failed = Counter(row["rule"] for row in results.notable if row["status"] == "fail")
    for rule in RULES:
        if rule.metric is not None:
            gauge(*rule.metric, failed[rule.id])
    gauge("vigil_ports_alerts_undelivered", "Messages that wait for their channel.", waiting)
    gauge("vigil_ports_alerts_dropped", "Messages that were given up because too many waited.", dropped)
    return ("\n".join(lines) + "\n").encode()


def _gauge(name: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{inside}}} {value}"


def _escaped(text: str) -> str:
    # The format quotes as a shell does, but for these two: whoever reads the file with one runs nothing.
    text = text.replace("$", "\\x24").replace("`", "\\x60")
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _seconds(time: str) -> int:
    return int(dt.datetime.fromisoformat(time).timestamp())
