# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: when the connection to the controller is lost, nothing goes on on the scanner."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = ["nmap", "connect"]
PROGRAM = str(Path(__file__).with_name("scan_program.py"))
TREE = str(Path(__file__).resolve().parents[5] / ".cache" / "tree")


def test_a_pipe_that_somebody_reads_is_no_reason_to_stop() -> None:
    reader, writer = os.pipe()
    stop = Stop(answer_to=writer)
    assert stop.why() is None
    os.write(writer, b"x" * 1000)
    assert stop.why() is None
    os.close(reader)
    assert "nobody waits" in str(stop.why())
    os.close(writer)
    assert stop.why() is None, "a descriptor that is closed here says nothing about anybody"


def test_a_socket_whose_other_end_has_gone_is(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        stop = Stop(answer_to=ours.fileno())
        assert stop.why() is None
        theirs.close()
        assert "nobody waits" in str(stop.why())
    with (tmp_path / "file").open("wb") as file, open(os.devnull, "wb") as nowhere:
        assert Stop(answer_to=file.fileno()).why() is None
        assert Stop(answer_to=nowhere.fileno()).why() is None


def options(lab: Any, engine: str) -> bytes:
    """A scan of minutes."""
    target = {"host": "h", "address": lab.silent}
    return json.dumps({"targets": [target], "ports": ["1-9000"], "engine": engine, "rate": 50, "timeout": 0}).encode()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_scan_ends_soon_when_nobody_reads_its_result(lab: Any, engine: str) -> None:
    process = subprocess.Popen(
        lab.command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": TREE},
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(options(lab, engine))
    process.stdin.close()
    time.sleep(3)
    assert _in(lab.vantage)
    process.stdout.close()
    process.wait(10)
    assert not _in(lab.vantage)


@pytest.fixture
def ssh(lab: Any, tmp_path: Path) -> Iterator[list[str]]:
    """A command that logs in to the vantage point over a real sshd."""
    if not Path("/usr/sbin/sshd").exists() or shutil.which("ssh") is None:
        pytest.skip("needs sshd and ssh")
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    keys = tmp_path / "authorized_keys"
    keys.write_bytes((tmp_path / "user_key.pub").read_bytes())
    config = tmp_path / "sshd.conf"
    config.write_text(
        f"ListenAddress 198.18.200.1\nHostKey {tmp_path}/host_key\nAuthorizedKeysFile {keys}\nPidFile none\n"
        "StrictModes no\nUsePAM no\nUseDNS no\nPermitRootLogin prohibit-password\n",
        encoding="utf-8",
    )
    # A mount namespace comes with "ip netns exec": nothing is left in /run.
    start = f"mount -t tmpfs run /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -f {shlex.quote(str(config))}"
    daemon = subprocess.Popen(["ip", "netns", "exec", lab.vantage, "sh", "-c", start])
    login = ["ip", "netns", "exec", lab.vantage, "ssh", "-i", str(tmp_path / "user_key"), "-F", "/dev/null"]
    login += ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/known", "-o", "BatchMode=yes"]
    login += ["-o", "LogLevel=ERROR", "198.18.200.1"]
    try:
        for _attempt in range(50):
            if subprocess.run([*login, "true"], check=False, capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        else:
            pytest.fail("sshd does not take the login")
        yield login
    finally:
        daemon.terminate()
        daemon.wait(10)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shared", [False, True], ids=["own connection", "shared connection"])
def test_a_scan_ends_soon_when_ssh_is_killed(
    lab: Any, ssh: list[str], tmp_path: Path, engine: str, shared: bool
) -> None:
    """As Ansible does it: over a connection of its own, or over one that stays (ControlPersist)."""
    control = ["-o", f"ControlPath={tmp_path}/control"]
    if shared:
        subprocess.run([*ssh[:-1], *control, "-M", "-f", "-N", ssh[-1]], check=True, stdout=subprocess.DEVNULL)
    remote = f"PYTHONPATH={shlex.quote(TREE)} {shlex.quote(sys.executable)} {shlex.quote(PROGRAM)}"
    client = subprocess.Popen(
        [*ssh[:-1], *(control if shared else ()), ssh[-1], f"/bin/sh -c {shlex.quote(remote + ' && sleep 0')}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert client.stdin
        client.stdin.write(options(lab, engine))
        client.stdin.close()
        time.sleep(4)
        assert _in(lab.vantage)
        client.kill()
        client.wait()
        for _attempt in range(50):
            if not _in(lab.vantage):
                break
            time.sleep(0.1)
        assert not _in(lab.vantage)
    finally:
        if client.stdout:
            client.stdout.close()
        if shared:
            subprocess.run([*ssh[:-1], *control, "-O", "exit", ssh[-1]], check=False, capture_output=True)


def _in(namespace: str) -> list[str]:
    """Scanning processes in a namespace."""
    told = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, check=True).stdout.split()
    lines = [_command(int(pid)) for pid in told]
    # The program by its path, or as text on the command line.
    ours = [line for line in lines if "scan_program.py" in line or "stopping_on_signals" in line]
    return [line for line in lines if line.startswith("nmap") or (line in ours and "sh -c" not in line)]


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return f"nmap {words}" if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "nmap" else words
    except OSError:
        return ""
