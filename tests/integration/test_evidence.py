# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real run, signed with a real key, in the hands of somebody who trusts nobody: docs/auditors.md, followed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fleet import playbook
from fleet.layout import CHECKOUT

pytestmark = pytest.mark.usefixtures("fleet")
PAGE = CHECKOUT / "docs" / "auditors.md"
SETTINGS: dict[str, Any] = {
    "audit_hosts": "web1,cache1,ghost1",
    "audit_scan_depth": "known",
    "audit_scan_versions": False,
    "vigil_vantages": [{"name": "office", "scanners": ["scan-office"]}],
}


def new_key(folder: Path, passphrase: str = "") -> Path:
    command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(folder / "audit_key"))
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder / "audit_key"


def audit(report_dir: Path, **more: Any) -> tuple[int, str]:
    variables = {**SETTINGS, "audit_report_dir": str(report_dir), **more}
    return playbook.run("vigil.ports.audit", "-e", json.dumps(variables))


@pytest.fixture(scope="module")
def kept(fleet: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, each in the chain and signed; the later one is ``reports/latest``."""
    folder = tmp_path_factory.mktemp("kept")
    key = new_key(folder)
    for _number in range(2):
        status, output = audit(folder / "reports", audit_signing_key=str(key), x_password="hunter2")  # noqa: S106
        assert status == 2, output  # ghost1 is not there
        assert (folder / "reports" / "latest" / "manifest.json.sig").exists(), output
    line = f'audit@example.com namespaces="vigil.ports" {key.with_suffix(".pub").read_text(encoding="utf-8")}'
    (folder / "allowed_signers").write_text(line, encoding="utf-8")
    return folder


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Path:
    shutil.copytree(kept / "reports", tmp_path / "reports", symlinks=True)
    return (tmp_path / "reports" / "latest").resolve()


def verify(run: Path, kept: Path) -> tuple[int, str]:
    return playbook.run(
        "vigil.ports.verify", "-e", f"run_dir={run} allowed_signers={kept / 'allowed_signers'} signer=audit@example.com"
    )


def test_an_edited_byte_is_found_and_a_lost_report_comes_back(run: Path, kept: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    status, output = verify(run, kept)
    assert status == 0, output
    assert "Verification PASSED" in output
    assert "signed by audit@example.com" in output

    report = run / "report.md"
    edited = bytearray(before[report])
    edited[-20] ^= 1
    report.write_bytes(edited)
    status, output = verify(run, kept)
    assert status == 2
    assert f"report.md: is not what the evidence gives: first at byte {len(edited) - 20}" in output

    report.unlink()
    status, output = playbook.run("vigil.ports.report", "-e", f"run_dir={run}")
    assert status == 0, output
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert verify(run, kept)[0] == 0


def test_edited_evidence_is_found_and_not_rendered_into_the_sealed_run(run: Path, kept: Path) -> None:
    host = run / "evidence" / "hosts" / "web1.json"
    host.write_bytes(host.read_bytes().replace(b'"port":80,', b'"port":81,', 1))
    status, output = verify(run, kept)
    assert status == 2
    assert "evidence/hosts/web1.json: its SHA-256 is" in output
    assert "results.json: is as it was sealed, and the evidence is not" in output


def test_the_manifest_says_who_where_and_how(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_bytes())
    schema = json.loads((CHECKOUT / "schemas" / "manifest.schema.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(manifest)
    (vantage,) = manifest["vantages"]
    (scanner,) = vantage["scanners"]
    assert (scanner["scanner"], scanner["addresses"]) == ("scan-office", ["198.18.0.202"])
    assert scanner["engine"] == "nmap"
    assert scanner["engine_version"]
    assert any("198.18.0.11" in command for command in scanner["commands"])
    assert "vigil.ports.audit" in manifest["command"]
    for path in run.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes(), path
    assert manifest["previous"]["run_id"] < manifest["run_id"]


def test_a_key_with_a_passphrase_is_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    key = new_key(tmp_path, passphrase="correct-horse")  # noqa: S106
    status, output = audit(tmp_path / "reports", audit_signing_key=str(key))
    assert status == 2
    assert "nobody is asked for a passphrase" in " ".join(output.split())
    assert not (tmp_path / "reports").exists()


def commands(text: str) -> list[str]:
    return re.findall(r"^\$ (.*)$", text, flags=re.MULTILINE)


def follow(commands: list[str], folder: Path, runs: list[str]) -> list[subprocess.CompletedProcess[str]]:
    """The commands of the page, with the names of real runs in place of those that it shows."""
    environment = {
        **playbook.environment(),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    done = []
    for command in commands:
        real = command.replace("20261119T131500Z-9b03d4", runs[0]).replace("20261120T131500Z-1f0c2a", runs[1])
        done.append(
            subprocess.run(
                ("bash", "-o", "pipefail", "-c", real),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        )
    return done


def test_the_auditors_page_can_be_followed_with_the_run_the_collection_and_openssh(kept: Path, tmp_path: Path) -> None:
    checking, signing = PAGE.read_text(encoding="utf-8").split("## Signing runs")
    assert len(commands(checking)) == 11
    names = sorted(path.name for path in (kept / "reports").iterdir() if path.name.startswith("2"))
    for name in names:
        shutil.copytree(kept / "reports" / name, tmp_path / name)
    shutil.copy(kept / "allowed_signers", tmp_path)
    done = follow(commands(checking), tmp_path, names)
    assert [(one.args[-1], one.stderr) for one in done if one.returncode != 0] == []
    signature, _digests, checked, others, strange, about, link, digest, verified, _rendered, same = done
    assert 'Good "vigil.ports" signature for audit@example.com' in signature.stdout
    assert {line.rpartition(": ")[2] for line in checked.stdout.splitlines()} == {"OK"}
    assert (others.stdout, strange.stdout, same.stdout) == ("", "", "")
    assert json.loads(about.stdout)["run_id"] == names[1]
    assert link.stdout.strip() == digest.stdout.split()[0]
    assert "Verification PASSED" in verified.stdout

    made = follow(commands(signing), tmp_path, names)
    assert [one.returncode for one in made] == [0, 0], made
    assert (tmp_path / "allowed_signers").read_text(encoding="utf-8").count("audit@example.com namespaces") == 2


def test_each_check_of_the_page_finds_what_it_is_for(kept: Path, tmp_path: Path) -> None:
    checking = commands(PAGE.read_text(encoding="utf-8").split("## With the collection")[0])
    names = sorted(path.name for path in (kept / "reports").iterdir() if path.name.startswith("2"))
    for name in names:
        shutil.copytree(kept / "reports" / name, tmp_path / name)
    shutil.copy(kept / "allowed_signers", tmp_path)
    run = tmp_path / names[1]
    (run / "report.md").write_bytes((run / "report.md").read_bytes() + b"x")
    (run / "added").write_bytes(b"")
    (run / "link").symlink_to("/etc/hostname")
    signature, _digests, checked, others, strange, *_rest = follow(checking, tmp_path, names)
    assert signature.returncode == 0
    assert "report.md: FAILED" in checked.stdout
    assert checked.returncode != 0
    assert others.stdout.strip() == "added"
    assert strange.stdout.strip().endswith("link")
    (run / "manifest.json").write_bytes((run / "manifest.json").read_bytes().replace(b"web1", b"web2"))
    assert follow(checking[:1], tmp_path, names)[0].returncode != 0
