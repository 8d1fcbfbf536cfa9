# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks that ansible-playbook really runs, on this machine under several names: what Ansible makes of variables.

That the names are one machine is a gap, which is accepted here.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
Json = dict[str, Any]

#: Quick, and without a neighbour: nothing is scanned, nothing is remembered.
QUIET: Json = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "audit_scan_depth": "none",
    "audit_history": False,
    "audit_owners": "first",
    "audit_packages": False,
    "audit_fail_on": "critical",
}

#: An interpreter that answers every module with facts of its choice.
_TAKEN = """#!{python}
import json
print(json.dumps({{"changed": False, "ansible_facts": json.loads({facts!r})}}))
"""


#: Gaps of this machine: network namespaces that other tests make at the time, and processes that even root may not see.
_OF_THE_MACHINE = (":namespaces-not-listed:", ":namespaces-unknown")
ACCEPT_THE_MACHINE = ("*:namespaces-not-listed:*", "*:namespaces-unknown")


@dataclasses.dataclass(frozen=True)
class Ended:
    """A playbook that ended."""

    exit_status: int
    output: str
    report_dir: Path

    @property
    def said(self) -> str:
        """What it printed, on one line."""
        return " ".join(self.output.split())

    def read(self, name: str) -> Json:
        """A file of the last complete run."""
        found: Json = json.loads((self.report_dir / "latest" / name).read_text(encoding="utf-8"))
        return found

    def gaps(self) -> set[str]:
        """Those of the playbook: what is of this machine is left out."""
        every = {row["gap"] for row in self.read("results.json")["findings"] if row["gap"]}
        return {gap for gap in every if not any(one in gap for one in _OF_THE_MACHINE)}


class Playbooks:
    """Runs playbooks. ``hosts`` are variables by host, ``groups`` members and variables by group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report_dir = folder / "reports"

    def __call__(
        self,
        play: str | list[Json] = "vigil.ports.audit",
        *arguments: str,
        hosts: Mapping[str, Json] | Sequence[str] = ("web1",),
        groups: Mapping[str, Json] | None = None,
        variables: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        named = hosts if isinstance(hosts, Mapping) else dict.fromkeys(hosts, None)
        names = sorted(
            {*named, "localhost", *(name for one in (groups or {}).values() for name in one.get("hosts", ()))}
        )
        one_machine = [f"{name}:same-machine:{first}" for first, name in itertools.combinations(names, 2)]
        accepted = [*one_machine, *ACCEPT_THE_MACHINE]
        everything = {**QUIET, "audit_accept_gaps": accepted, "audit_report_dir": str(self.report_dir)}
        everything |= variables or {}
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": named, "vars": everything, "children": groups or {}}}))
        if not isinstance(play, str):
            (self.folder / "play.json").write_text(json.dumps(play))
            play = str(self.folder / "play.json")
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            (program, "-i", str(inventory), play, *arguments),
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/tree"),
                "ANSIBLE_HOME": str(self.folder / "ansible"),
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_LOCALHOST_WARNING": "0",
                **(environment or {}),
            },
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout + done.stderr, self.report_dir)

    def taken_host(self, facts: Json) -> str:
        """The interpreter of a host that somebody has taken: it answers ``setup`` with these facts."""
        path = self.folder / "taken"
        path.write_text(_TAKEN.format(python=sys.executable, facts=json.dumps(facts)))
        path.chmod(0o755)
        return str(path)

    def audited_after_facts(self, facts: Json, host: str = "web1", **play: Any) -> list[Json]:
        """A play that gathers facts, of which one host's are these, and then audits."""
        gather = {
            "ansible.builtin.setup": {},
            "vars": {"ansible_python_interpreter": self.taken_host(facts)},
            "when": f"inventory_hostname == '{host}'",
        }
        role = {"ansible.builtin.include_role": {"name": "vigil.ports.audit"}}
        return [{"hosts": "all", "gather_facts": False, "tasks": [gather, role], **play}]


@pytest.fixture
def playbook(tmp_path: Path) -> Playbooks:
    return Playbooks(tmp_path)
