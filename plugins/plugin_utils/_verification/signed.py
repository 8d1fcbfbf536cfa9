# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who signed a run. This module is private to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .._evidence.run_directory import RunDirectory
from .._evidence.signature import SignatureError, signed_with, signer_of
from .verdict import Problem, Said


def signature_said(
    run: RunDirectory, opened: Mapping[str, Any] | None, allowed_signers: Path | None, signer: str | None
) -> Iterator[Said]:
    """What the signature of a run proves. ``opened`` is the key that the run was opened with."""
    name = run.signature.name
    if not run.signature.exists():
        if opened:
            yield Problem(name, f"the run was opened to be signed with {_key(opened)}, and this file is not here")
        elif allowed_signers:
            yield Problem(name, "the run is not signed: there is nothing that allowed_signers could say anything about")
        else:
            yield "the run is not signed: who can write its directory can also make up all of it"
        return
    try:
        signature, data = run.signature.read_bytes(), run.manifest.read_bytes()
        key = signed_with(signature, data)
        if opened != key._asdict():
            yield Problem(name, f"signed with {_key(key._asdict())}, and the run was opened with {_key(opened)}")
        if allowed_signers:
            yield f"signed by {signer_of(signature, data, allowed_signers, signer)} with {_key(key._asdict())}"
        else:
            yield f"signed with {_key(key._asdict())}; whose it is was not looked at: give allowed_signers"
    except (SignatureError, OSError) as error:
        yield Problem(name, str(error))


def _key(signing: Mapping[str, Any] | None) -> str:
    return "no key" if signing is None else f"the key {signing.get('fingerprint')}"
