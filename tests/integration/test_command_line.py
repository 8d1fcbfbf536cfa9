# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every option of every playbook as people give it: ``-e name=value``, where each value is text that Ansible marks.

The options are those that the head of a playbook names, so a new one without a case here fails.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from faults.audits import Auditing
from fleet.layout import CHECKOUT

pytestmark = pytest.mark.usefixtures("fleet")

#: Options of a playbook, a call each. ``{run}`` is a complete run, ``{folder}`` an empty directory.
CALLS = {
    "baseline": (
        {
            "run_dir": "{run}",
            "baseline_dir": "{folder}",
            "baseline_owner": "web-team",
            "baseline_share": "90",
            "baseline_patch": "{folder}/proposed.patch",
        },
        {
            "baseline_dir": "{folder}",
            "baseline_owner": "web-team",
            "import_file": "{folder}/ss.txt",
            "import_format": "ss",
            "import_host": "web1",
        },
        {
            "baseline_dir": "{folder}",
            "import_file": "{folder}/nmap.xml",
            "import_format": "nmap",
            "import_vantage": "internet",
        },
        {"baseline_dir": "{folder}", "baseline_fresh": "true"},
    ),
    "change_open": ({"change": "CHG-6", "change_nothing": "true", "change_again": "false"},),
    "change_close": ({"change": "CHG-7", "change_take_over": "true"},),
    "notify": ({"run_dir": "{run}"},),
    "report": ({"run_dir": "{run}", "into": "{folder}/again"},),
    "review": ({"run_dir": "{run}", "review_file": "{folder}/review.md", "unused_days": "30"},),
    "timeline": ({"host": "web1", "port": "443", "finding": "none"},),
    "verify": ({"run_dir": "{run}", "allowed_signers": "{folder}/signers", "signer": "me@example.com"},),
}
#: What a playbook needs besides, given as an inventory would. Nothing listens there, so that the message waits.
BESIDES = {"notify": {"notify_channels": [{"name": "nobody", "urls": ["json://127.0.0.1:1/"]}]}}
#: What needs more than a value, and is tried elsewhere.
ELSEWHERE = {
    ("change_open", "change_since"),  # a revision of an inventory in git: test_change_windows.py
    ("merge", "audit_merge"),  # parts of a campaign: test_engine.py, and tests/unit/playbooks/test_parts.py
    ("merge", "audit_merge_parts"),
}

SS = 'tcp LISTEN 0 128 0.0.0.0:8443 0.0.0.0:* users:(("caddy",pid=11,fd=5))\n'
NMAP = """<?xml version="1.0"?><nmaprun scanner="nmap" version="7.93"><host><status state="up"/>
<address addr="198.18.0.11" addrtype="ipv4"/><ports><port protocol="tcp" portid="8443"><state state="open"
 reason="syn-ack"/></port></ports></host><runstats><finished exit="success"/><hosts up="1"/></runstats></nmaprun>"""


@pytest.fixture(scope="module")
def complete(fleet: object, tmp_path_factory: pytest.TempPathFactory) -> Auditing:
    """A report directory with one complete run of web1."""
    audits = Auditing(tmp_path_factory.mktemp("complete"))
    done = audits()
    assert done.exit_status == 0, done.output
    return audits


def named_options(playbook: str) -> set[str]:
    """The options that the head of the playbook names."""
    text = (CHECKOUT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8")
    return set(re.findall(r"-e (\w+)=", text.split("- name:", 1)[0]))


@pytest.mark.parametrize("playbook", sorted(CALLS))
def test_each_option_is_taken_from_the_command_line(complete: Auditing, tmp_path: Path, playbook: str) -> None:
    given = {name for call in CALLS[playbook] for name in call}
    assert given >= named_options(playbook) - {name for where, name in ELSEWHERE if where == playbook}
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "ss.txt").write_text(SS, encoding="utf-8")
    (folder / "nmap.xml").write_text(NMAP, encoding="utf-8")
    (folder / "signers").write_text("", encoding="utf-8")
    if playbook == "change_close":
        opened = complete(play="vigil.ports.change_open", change="CHG-7", change_nothing=True)
        assert opened.exit_status == 0, opened.output
    for call in CALLS[playbook]:
        texts = {name: value.format(run=complete.report_dir / "latest", folder=folder) for name, value in call.items()}
        arguments = [word for name, value in texts.items() for word in ("-e", f"{name}={value}")]
        done = complete(play=f"vigil.ports.{playbook}", arguments=arguments, **BESIDES.get(playbook, {}))
        assert not re.search(r"Traceback|Unexpected|cannot represent|Tagged", done.output), done.output
        # A run that nobody signed is not verified by a file of signers, and that is said.
        assert done.exit_status == (2 if playbook == "verify" else 0), done.output
    if playbook == "baseline":
        written = yaml.safe_load((folder / "host_vars" / "web1.yml").read_text(encoding="utf-8"))
        assert {8443} <= {one["port"] for one in written["vigil_ports__proposed"]}


def test_every_playbook_with_options_is_tried() -> None:
    playbooks = [path.stem for path in (CHECKOUT / "playbooks").glob("*.yml")]
    named = {(playbook, option) for playbook in playbooks for option in named_options(playbook)}
    assert {playbook for playbook, _option in named - ELSEWHERE} <= set(CALLS)


@pytest.mark.parametrize(
    ("playbook", "option", "given"),
    [
        ("baseline", "import_file", {"import_file": "nowhere.xml"}),
        ("review", "dest", {"review_file": "/proc/nowhere/review.md"}),
        ("report", "into", {"into": "/proc/nowhere"}),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_option(
    complete: Auditing, playbook: str, option: str, given: dict[str, str]
) -> None:
    arguments = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    done = complete(play=f"vigil.ports.{playbook}", arguments=arguments)
    assert done.exit_status == 2
    assert f"{option}: " in done.output
    assert "No such file or directory; give the path of a file that exists" in done.output
    assert "mounted" not in done.output
