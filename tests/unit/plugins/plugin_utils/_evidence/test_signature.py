# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures by the real ssh-keygen: whatever cannot sign is said at once, and nobody is ever asked."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.signature import (
    SignatureError,
    sign,
    signed_with,
    signer_of,
    try_key,
)
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils.sealed_runs import allow, new_key

PASSPHRASE = "correct-horse"  # noqa: S105 - of keys that live as long as a test
DATA = b'{"files":{}}\n'


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A real ssh-agent; the value adds a key to it. The process ends with the test."""
    socket = tmp_path / "agent"
    running = subprocess.Popen(("ssh-agent", "-D", "-a", str(socket)), stdout=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.readline()  # it is printed when the socket is there
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))

    def add(key: Path) -> None:
        # The program that asks answers with the passphrase of these tests.
        answer = tmp_path / "answer"
        answer.write_text(f"#!/bin/sh\necho {PASSPHRASE}\n", encoding="utf-8")
        answer.chmod(0o700)
        asked = {**os.environ, "SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"}
        subprocess.run(("ssh-add", "-q", str(key)), check=True, env=asked, stdin=subprocess.DEVNULL)

    yield add
    running.terminate()
    running.communicate()


@pytest.fixture(autouse=True)
def no_agent_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_key_signs_and_anybody_can_check_with_ssh_keygen_alone(tmp_path: Path, kind: str) -> None:
    key = new_key(tmp_path, kind=kind)
    told = try_key(key)
    listed = subprocess.run(("ssh-keygen", "-l", "-f", str(key)), capture_output=True, text=True, check=True).stdout
    assert (told.fingerprint, f"({told.key_type})") == (listed.split()[1], listed.split()[-1])
    (tmp_path / "manifest.json.sig").write_bytes(sign(key, DATA))
    command = (
        "ssh-keygen",
        "-Y",
        "verify",
        "-n",
        "vigil.ports",
        "-I",
        "key@example.com",
        *("-s", "manifest.json.sig", "-f", "allowed"),
    )
    allow(tmp_path / "allowed", key)
    for data, status in ((DATA, 0), (DATA + b" ", 255)):
        done = subprocess.run(command, cwd=tmp_path, input=data, capture_output=True, check=False)
        assert done.returncode == status, done


def refused(key: Path) -> str:
    with pytest.raises(SignatureError) as caught:
        try_key(key)
    assert str(key) in str(caught.value)
    return str(caught.value)


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "No such file or directory" in refused(tmp_path / "nothing")


def test_what_is_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n", encoding="utf-8")
    (tmp_path / "text").chmod(0o600)
    assert "text" in refused(tmp_path / "text")
    refused(tmp_path)


def test_a_key_that_others_can_read_is_refused_with_what_ssh_keygen_says(tmp_path: Path) -> None:
    key = new_key(tmp_path)
    key.chmod(0o644)
    assert "UNPROTECTED PRIVATE KEY FILE" in refused(key)


def test_a_key_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    key = new_key(tmp_path)
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(65534)
        else:
            key.chmod(0)
        try:
            try_key(key)
        except SignatureError:
            os._exit(13)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 13


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_even_on_a_terminal(tmp_path: Path) -> None:
    key = new_key(tmp_path, passphrase=PASSPHRASE)
    assert "passphrase" in refused(key)
    code = (
        f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}; import pathlib\n"
        "from ansible_collections.vigil.ports.plugins.plugin_utils._evidence import signature\n"
        f"try: signature.try_key(pathlib.Path({str(key)!r}))\n"
        "except signature.SignatureError as error: print('REFUSED', error)\n"
    )
    # A terminal on which nobody types: a prompt would wait until the limit.
    on_terminal = ("script", "-qec", f"{sys.executable} -c {shlex.quote(code)}", "/dev/null")
    held_open, keyboard = os.pipe()
    try:
        done = subprocess.run(on_terminal, stdin=held_open, capture_output=True, text=True, check=True, timeout=60)
    finally:
        os.close(held_open)
        os.close(keyboard)
    assert "REFUSED" in done.stdout
    assert "Enter passphrase" not in done.stdout


@pytest.mark.parametrize("given", ["key", "key.pub"])
def test_a_key_with_a_passphrase_signs_through_the_agent(
    tmp_path: Path, agent: Callable[[Path], None], given: str
) -> None:
    key = new_key(tmp_path, passphrase=PASSPHRASE)
    refused(tmp_path / given)
    agent(key)
    told = try_key(tmp_path / given)
    assert signed_with(sign(tmp_path / given, DATA), DATA) == told
    (tmp_path / "key").unlink()
    assert try_key(tmp_path / "key.pub") == told


def test_without_ssh_keygen_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SignatureError, match="install the OpenSSH client"):
        try_key(key)


def test_a_signature_for_something_else_is_none(tmp_path: Path) -> None:
    key = new_key(tmp_path)
    command = ("ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(key))
    other = subprocess.run(command, input=DATA, capture_output=True, check=True).stdout
    with pytest.raises(SignatureError, match="does not hold"):
        signed_with(other, DATA)
    assert signed_with(sign(key, DATA), DATA)


def test_no_byte_of_a_signature_can_be_changed(tmp_path: Path) -> None:
    good = sign(new_key(tmp_path), DATA)
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << position % 8
        with pytest.raises(SignatureError):
            signed_with(bytes(bad), DATA)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + b"\n",
        lambda text: b"\n" + text,
        lambda text: text + text,
        lambda text: text[:-1],
        lambda text: b"",
        lambda text: text.replace(b"\n", b"\r\n"),
        # 70 characters a line, as ssh-keygen writes them, and one line less
        lambda text: re.sub(rb"(?<=[^-])\n(?=[^-])", b"", text, count=1),
    ],
)
def test_a_signature_written_otherwise_is_none(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(SignatureError):
        signed_with(change(sign(new_key(tmp_path), DATA)), DATA)


def test_the_allowed_signers_decide_whose_key_it_is(tmp_path: Path) -> None:
    ours, theirs, nobody = (new_key(tmp_path, name) for name in ("ours", "theirs", "nobody"))
    allowed = allow(tmp_path / "allowed", ours, theirs)
    signature = sign(ours, DATA)
    assert signer_of(signature, DATA, allowed, None) == "ours@example.com"
    assert signer_of(signature, DATA, allowed, "ours@example.com") == "ours@example.com"
    for who in ("theirs@example.com", "-O", "ours@example.com ", "nobody@example.com"):
        with pytest.raises(SignatureError):
            signer_of(signature, DATA, allowed, who)
    with pytest.raises(SignatureError, match="nobody in the allowed signers"):
        signer_of(sign(nobody, DATA), DATA, allowed, None)
    with pytest.raises(SignatureError):
        signer_of(signature, DATA + b" ", allowed, None)
    with pytest.raises(SignatureError):
        signer_of(signature, DATA, allow(tmp_path / "for_git", ours, namespaces="git"), None)
    with pytest.raises(SignatureError, match="missing"):
        signer_of(signature, DATA, tmp_path / "missing", None)


def test_the_tests_have_the_programs_that_they_need() -> None:
    assert [name for name in ("ssh-keygen", "ssh-agent", "ssh-add", "script") if shutil.which(name) is None] == []
