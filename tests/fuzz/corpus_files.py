# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The saved inputs of each target, ``tests/fuzz/corpus/<target>/<name>``.

What is text is kept as it is; what is not stands as base64 in a file that ends in ``.b64``, so that no tool that reads
the sources meets bytes that it cannot read.
"""

from __future__ import annotations

import base64
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
_ENCODED = ".b64"


def saved(target: str) -> dict[str, bytes]:
    """The inputs by name, in the order of their names."""
    return {path.name: _read(path) for path in sorted((CORPUS / target).glob("*")) if path.is_file()}


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    return base64.b64decode(content) if path.suffix == _ENCODED else content


def save(target: str, name: str, content: bytes) -> Path:
    """Writes an input; gives the file that now holds it."""
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    plain = _is_plain(content)
    path = CORPUS / target / (name if plain else f"{name}{_ENCODED}")
    path.write_bytes(content if plain else base64.encodebytes(content))
    return path


def _is_plain(content: bytes) -> bool:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\n\t" for character in text)
