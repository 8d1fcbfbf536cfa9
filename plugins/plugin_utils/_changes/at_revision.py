# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts declared at a revision of the inventory's checkout. This module is private to the collection.

``ansible-inventory`` tells it of both, the revision and what is checked out now. What it does not resolve (templates,
secrets, variables of plays) cannot be compared, and is refused: half a comparison would plan at random.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT, visible

from .._inventory.declared import Inventory
from .._inventory.loader import is_inventory_variable, load_inventory
from .._inventory.problem import shown
from .window import WindowError

_SECONDS = 300
#: Python 3.11.2, which Debian 12 has, knows no filters (they came with 3.11.4).
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
_COMPARED = ("vigil_ports", "vigil_raw_sockets", "vigil_exceptions")
_WAY_OUT = "plan by the id of the change instead (leave out change_since)"

Variables = Mapping[str, Any]


def declared_at(
    revision: str, sources: Sequence[str], now: Mapping[str, Variables | None]
) -> dict[str, Inventory | None]:
    """What each host of ``now`` declared at the revision: nothing where it was not there, None where it was not valid.

    ``sources`` are those of the inventory as they were given (-i), ``now`` the variables of each host as its own task
    resolved them. Raises WindowError for what cannot be compared.
    """
    paths = [Path(os.path.abspath(source)) for source in sources]
    missing = [str(source) for source, path in zip(sources, paths, strict=True) if "," in source or not path.exists()]
    if missing or not paths:
        raise WindowError(
            f"the inventory ({', '.join(missing) or 'none given'}) is not from files of a checkout; {_WAY_OUT}"
        )
    start = paths[0] if paths[0].is_dir() else paths[0].parent
    top = Path(_run("git", "-C", str(start), "rev-parse", "--show-toplevel").decode().strip())
    outside = [str(path) for path in paths if not path.resolve().is_relative_to(top)]
    if outside:
        raise WindowError(f"{outside[0]} lies outside of the checkout {top}; {_WAY_OUT}")
    try:  # a revision that begins with a dash would be taken for an option
        named = _run("git", "-C", str(top), "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    except WindowError as error:
        raise WindowError(
            f"change_since: {shown(revision)} is no revision of the checkout {top}; {_WAY_OUT}"
        ) from error
    _expect_alike(_listed(paths, Path.cwd()), now)
    with tempfile.TemporaryDirectory(prefix="vigil-ports-") as folder:
        tar = _run("git", "-C", str(top), "archive", "--format=tar", named.decode().strip())
        try:
            with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
                archive.extractall(folder, **_FILTER)  # noqa: S202 - git holds no name that leads out of its tree
        except tarfile.TarError as error:  # a link that leads out of the checkout
            raise WindowError(
                f"revision {revision} cannot be taken out of the checkout: {error}; {_WAY_OUT}"
            ) from error
        then = [Path(folder, path.resolve().relative_to(top)) for path in paths]
        gone = [str(path.relative_to(folder)) for path in then if not path.exists()]
        if gone:
            raise WindowError(f"{gone[0]} is not there at revision {revision}; {_WAY_OUT}")
        known = _listed(then, Path(folder))
    _expect_resolved({host: known.get(host, {}) for host in now}, revision)
    found: dict[str, Inventory | None] = {}
    for host in now:
        inventory, problems = load_inventory(known.get(host, {}))
        found[host] = None if problems else inventory
    return found


def _listed(paths: Sequence[Path], where: Path) -> dict[str, dict[str, Any]]:
    """The inventory variables of each host, as files hold them."""
    words = [word for path in paths for word in ("-i", str(path))]
    with tempfile.TemporaryDirectory(prefix="vigil-ports-") as nothing:
        # It takes where it stands for the directory of a playbook, and the group_vars there for those of the play.
        words += ["--playbook-dir", nothing]
        told = json.loads(_run(sys.executable, "-m", "ansible", "inventory", "--list", *words, where=where))
    return {host: _ours(variables) for host, variables in told["_meta"]["hostvars"].items()}


def _ours(variables: Variables) -> dict[str, Any]:
    return {name: variables[name] for name in sorted(variables) if is_compared(name)}


def is_compared(name: str) -> bool:
    """Whether a variable holds declarations or exceptions."""
    return is_inventory_variable(name) and name.startswith(_COMPARED)


def _expect_alike(files: Mapping[str, Variables], now: Mapping[str, Variables | None]) -> None:
    """Raises WindowError where a host declares something else than the files of the inventory say."""
    for host, variables in now.items():
        resolved, written = _ours(variables or {}), files.get(host, {})
        for name in sorted({*resolved, *written}):
            if resolved.get(name) != written.get(name):
                raise WindowError(
                    f"{host}: {name} is not in the inventory's files as the host declares it: it holds a template or a"
                    f" secret, or comes from a play or the command line, so it cannot be compared; {_WAY_OUT}"
                )


def _expect_resolved(known: Mapping[str, Variables], revision: str) -> None:
    """Raises WindowError for what would have to be resolved first: it would be compared as it is written."""
    for host, variables in known.items():
        for name, value in variables.items():
            text = json.dumps(value)
            if any(mark in text for mark in ("{{", "{%", "__ansible_vault", "__ansible_unsafe")):
                raise WindowError(
                    f"{host}: {name} holds a template or a secret at revision {revision}, so it cannot be compared;"
                    f" {_WAY_OUT}"
                )


def _run(*words: str, where: Path | None = None) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603
            words, cwd=where, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        said = visible(error.stderr.decode(errors="replace").strip(), MESSAGE_LIMIT)
        raise WindowError(f"{' '.join(words[:1])}: {said or 'it failed'}; {_WAY_OUT}") from error
    except subprocess.TimeoutExpired as error:
        raise WindowError(f"{words[0]} gave no answer in {_SECONDS} s; {_WAY_OUT}") from error
    return done.stdout
