# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures with OpenSSH keys, made and checked by ssh-keygen (ssh-keygen(1), ``-Y``; format: PROTOCOL.sshsig).

Nothing here ever waits for a person: a key that asks for a passphrase is refused. This module is private
to the collection.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

#: What a signature is for. One that the same key made for mail or git is not taken for a run.
NAMESPACE = "vigil.ports"

#: A key in an agent may want a touch, or a confirmation there.
_SECONDS = 120
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----\n", "\n-----END SSH SIGNATURE-----\n"
_GOOD = re.compile(r'Good "vigil\.ports" signature (?:for (?P<who>.*) )?with (?P<type>\S+) key (?P<key>SHA256:\S+)')


class SignatureError(Exception):
    """A signature that cannot be made, or does not hold; the text says why, and the way out."""


class SigningKey(NamedTuple):
    """A key by what everybody may know of it: ``ED25519``, ``SHA256:...``."""

    key_type: str
    fingerprint: str


def try_key(key: Path) -> SigningKey:
    """The key, after a signature with it was made and checked. Raises SignatureError."""
    trial = b"vigil.ports: can this key sign?\n"
    return signed_with(sign(key, trial), trial)


def sign(key: Path, data: bytes) -> bytes:
    """The signature of ``data``, armoured. ``key`` is a private key, or a public one whose other half is in the agent.

    Raises SignatureError.
    """
    done = _ssh_keygen("sign", "-f", str(key), data=data)
    if done.returncode != 0 or not done.stdout:
        raise SignatureError(
            f"signing_key {key}: ssh-keygen cannot sign with it: {_said(done)}. It has to be a private key "
            "without a passphrase that this user can read and nobody else, or a key that is in the ssh-agent of "
            "SSH_AUTH_SOCK; nobody is asked for a passphrase"
        )
    return done.stdout


def signed_with(signature: bytes, data: bytes) -> SigningKey:
    """The key that made a signature of ``data``; whose key it is, is not looked at. Raises SignatureError."""
    _expect_armour(signature)
    with tempfile.NamedTemporaryFile() as file:
        file.write(signature)
        file.flush()
        done = _ssh_keygen("check-novalidate", "-s", file.name, data=data)
    found = _GOOD.match(done.stdout.decode("utf-8", "replace"))
    if done.returncode != 0 or found is None:
        raise SignatureError(f"it does not hold for manifest.json: {_said(done)}")
    return SigningKey(found["type"], found["key"])


def signer_of(signature: bytes, data: bytes, allowed_signers: Path, signer: str | None) -> str:
    """Who signed, by an allowed-signers file: ``signer``, or whom the file names for the key. Raises SignatureError."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(signature)
        file.flush()
        common = ("-s", file.name, "-f", str(allowed_signers))
        candidates = [signer] if signer else _principals(*common)
        refusals = []
        for candidate in candidates:
            done = _ssh_keygen("verify", "-I", candidate, *common, data=data)
            if done.returncode == 0 and _GOOD.match(done.stdout.decode("utf-8", "replace")):
                return candidate
            refusals.append(f"not by {visible(candidate)}: {_said(done)}")
    raise SignatureError("; ".join(refusals) or f"{allowed_signers} names nobody for its key")


def _principals(*arguments: str) -> list[str]:
    done = _ssh_keygen("find-principals", *arguments, data=b"")
    if done.returncode != 0:
        raise SignatureError(f"nobody in the allowed signers has its key: {_said(done)}")
    return done.stdout.decode("utf-8", "replace").splitlines()


def _expect_armour(signature: bytes) -> None:
    """Raises SignatureError unless the text is exactly as ssh-keygen writes it.

    ssh-keygen takes more than it writes: text around the armour, and bits that base64 does not use.
    """
    try:
        text = signature.decode("ascii")
        body = text.removeprefix(_BEGIN).removesuffix(_END)
        blob = base64.b64decode(body.replace("\n", ""), validate=True)
    except (UnicodeDecodeError, binascii.Error) as error:
        raise SignatureError(f"it is not a signature as ssh-keygen writes it ({error})") from error
    encoded = base64.b64encode(blob).decode("ascii")
    lines = "\n".join(encoded[start : start + 70] for start in range(0, len(encoded), 70))
    if text != f"{_BEGIN}{lines}{_END}":
        raise SignatureError("it is not a signature as ssh-keygen writes it")


def _ssh_keygen(action: str, *arguments: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    """Runs ``ssh-keygen -Y``, where there is no terminal, and the program that asks for passphrases has none."""
    namespace = () if action == "find-principals" else ("-n", NAMESPACE)
    command = ("ssh-keygen", "-Y", action, *namespace, *arguments)
    environment = {**os.environ, "LC_ALL": "C", "SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
    try:
        return subprocess.run(  # noqa: S603 - arguments never begin with a word from outside
            command,
            input=data,
            capture_output=True,
            env=environment,
            start_new_session=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise SignatureError(
            "ssh-keygen is not on this machine, and signatures are made and checked with it: install the OpenSSH client"
        ) from None
    except subprocess.TimeoutExpired:
        raise SignatureError(f"ssh-keygen gave no answer in {_SECONDS} s (does the key wait for a touch?)") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What ssh-keygen said, on one line."""
    lines = done.stderr.decode("utf-8", "replace").splitlines() + done.stdout.decode("utf-8", "replace").splitlines()
    told = [visible(line.strip("@ ")) for line in lines if line.strip("@ ") and not line.startswith("Signing data on")]
    return "; ".join(told) or f"exit status {done.returncode}"
