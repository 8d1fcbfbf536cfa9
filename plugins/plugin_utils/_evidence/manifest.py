# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``manifest.json``: every file by its digest, and who made the run, when, where and how.

Everything in it but the digests comes from files that have a digest in it, so a manifest can be computed
again as well. ``schemas/manifest.schema.json`` describes it. This module is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .atomic import sha256_of
from .records.host import HOSTS
from .run_directory import MANIFEST_SHAPE, RunDirectory

Row = Mapping[str, Any]

#: What seals a run is not sealed by it.
UNSEALED = frozenset(("manifest.json", "manifest.json.sig"))


def manifest_of(run: RunDirectory, results: Row, files: Mapping[str, str]) -> dict[str, Any]:
    """The manifest of a run whose ``evidence/seal.json`` is written.

    ``results`` are the run's results, of which only the head is read; ``files`` the digests by name.
    """
    asked, seal = results["run"], run.read_seal()
    return {
        "shape": MANIFEST_SHAPE,
        "run_id": asked["run_id"],
        "started": asked["started"],
        "ended": seal["ended"],
        "previous": seal["previous"],
        "controller": asked["controller"],
        "command": asked["command"],
        "inventory": asked["inventory"],
        "signing": asked["signing"],
        "versions": asked["versions"],
        "vantages": [_vantage(run, row, asked["scanners"]) for row in results["coverage"]["vantages"]],
        "files": dict(files),
        **_parents(asked),
    }


def _parents(asked: Row) -> dict[str, Any]:
    """The parts that a run was merged from, each with the digest of its manifest."""
    if "merged" not in asked:
        return {}
    return {"parents": [{key: row[key] for key in ("run_id", "manifest_sha256")} for row in asked["merged"]["parents"]]}


def digests_of(run: RunDirectory) -> dict[str, str]:
    """SHA-256 of every file of the run, by its name in the run directory."""
    files = sorted(path for path in run.path.rglob("*") if path.is_file())
    names = ((path.relative_to(run.path).as_posix(), path) for path in files)
    return {name: sha256_of(path) for name, path in names if name not in UNSEALED}


def _vantage(run: RunDirectory, vantage: Row, scanners: Mapping[str, Row]) -> dict[str, Any]:
    return {"name": vantage["name"], "scanners": [_scanner(run, row, scanners) for row in vantage["scanners"]]}


def _scanner(run: RunDirectory, share: Row, scanners: Mapping[str, Row]) -> dict[str, Any]:
    """Where a scanner stands, what it is, and what it ran. What nobody told is None."""
    name = share["scanner"]
    about = share["coverage"] or {}
    return {
        "scanner": name,
        "instead_of": share["instead_of"],
        "addresses": scanners.get(name, {}).get("addresses", []),
        "kernel": _kernel(run, name),
        "engine": about.get("engine"),
        "engine_version": about.get("engine_version"),
        "started": about.get("started"),
        "finished": about.get("finished"),
        "commands": about.get("commands", []),
    }


def _kernel(run: RunDirectory, scanner: str) -> str | None:
    """The scanner's kernel, where it was listed as a host of the run as well."""
    evidence = run.read(HOSTS, scanner)
    return evidence.listening.host.kernel if evidence and evidence.listening else None
