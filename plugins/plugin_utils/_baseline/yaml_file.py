# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries added to a YAML file of which everything else stays as it is. This module is private to the collection.

ruamel.yaml keeps comments, order and quotes. What it would write otherwise than it read it is not touched:
a file is only changed when ruamel writes back the very bytes that it read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._reports.entry_yaml import is_plain_text

try:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString
except ImportError as error:
    RUAMEL_IMPORT_ERROR: ImportError | None = error
else:
    RUAMEL_IMPORT_ERROR = None

#: Indentation of mappings, of sequences, and of their dashes, as people write it.
_INDENTS = ((2, 4, 2), (2, 2, 0), (4, 4, 0), (4, 6, 4), (4, 4, 2), (2, 3, 1), (4, 2, 0))
_NO_BREAKS = 1 << 30
#: Comments and directives up to the line that begins the document; ruamel would put that line first.
_PROLOGUE = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n|%[^\n]*\n)*---[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_NOTHING = re.compile(r"(?:[ \t]*(?:#[^\n]*)?(?:\n|\Z))*")


class CannotKeepError(Exception):
    """A file that would not stay as it is; the text says what is in the way."""


def with_entries(content: bytes, variable: str, entries: Sequence[Mapping[str, Any]], comment: str) -> bytes:
    """The content with the entries at the end of the variable's list, which is made when it is missing.

    ``comment`` stands above a list that is made. Raises CannotKeepError when anything else would change.
    """
    text = _text(content)
    prologue = found.group() if (found := _PROLOGUE.match(text)) else ""
    body = text[len(prologue) :]
    if prologue and not prologue.endswith("\n"):
        prologue += "\n"
    if _NOTHING.fullmatch(body):
        start = "" if prologue or body else "---\n"
        return (start + prologue + _ended(body) + _written(_YAMLS[0](), _layer(variable, entries, comment))).encode()
    body = _ended(body)
    try:
        changed = _added(body, variable, entries, comment)
    except CannotKeepError:
        raise
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError) as error:
        raise CannotKeepError(f"it cannot be read as YAML: {_reason(error)}") from error
    return (prologue + changed).encode()


def _text(content: bytes) -> str:
    if content.startswith(b"$ANSIBLE_VAULT"):
        raise CannotKeepError("it is encrypted (ansible-vault)")
    if content.startswith(b"\xef\xbb\xbf"):
        raise CannotKeepError("it begins with a byte order mark")
    if b"\r" in content:
        raise CannotKeepError("its lines end with a carriage return")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CannotKeepError(f"it is not UTF-8 (byte {error.start + 1})") from None


def _added(body: str, variable: str, entries: Sequence[Mapping[str, Any]], comment: str) -> str:
    yaml = _yaml_that_keeps(body)
    data = yaml.load(body)
    layer = data.get(variable)
    if variable not in data:
        made = _layer(variable, entries, comment)
        changed = body + _written(yaml, made)
    elif isinstance(layer, CommentedSeq):
        layer.extend(map(_entry, entries))
        changed = _written(yaml, data)
    else:
        raise CannotKeepError(f"{variable} is there, and is no list")
    if not _only_grew(body, changed):
        raise CannotKeepError(f"what is there would not stay as it is where {variable} is extended")
    written = yaml.load(changed)[variable]
    if list(written)[-len(entries) :] != [dict(entry) for entry in entries]:
        raise CannotKeepError("the entries do not come back as they were written")
    return changed


def _yaml_that_keeps(body: str) -> Any:
    """YAML in the layout in which the text is written back byte for byte."""
    data = _YAMLS[0]().load(body)
    if not isinstance(data, CommentedMap):
        raise CannotKeepError("it is no mapping of variables")
    line = 0
    for make in _YAMLS:
        back = _written(make(), data)
        if back == body:
            return make()
        line = max(line, _first_difference(body, back))
    raise CannotKeepError(f"ruamel.yaml would write line {line} otherwise than it is there")


def _maker(mapping: int, sequence: int, offset: int) -> Any:
    def make() -> Any:
        yaml = YAML(typ="rt")
        yaml.preserve_quotes = True
        yaml.width = _NO_BREAKS
        yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
        return yaml

    return make


_YAMLS = tuple(_maker(*indents) for indents in _INDENTS)


def _written(yaml: Any, data: Any) -> str:
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def _layer(variable: str, entries: Sequence[Mapping[str, Any]], comment: str) -> Any:
    layer = CommentedMap({variable: CommentedSeq(map(_entry, entries))})
    layer.yaml_set_start_comment(comment)
    return layer


def _entry(entry: Mapping[str, Any]) -> Any:
    return CommentedMap((key, _value(value)) for key, value in entry.items())


def _value(value: object) -> Any:
    if isinstance(value, list):
        some = CommentedSeq(map(_value, value))
        some.fa.set_flow_style()
        return some
    if isinstance(value, str) and not is_plain_text(value):
        return DoubleQuotedScalarString(value)
    return value


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _only_grew(before: str, after: str) -> bool:
    """True when ``after`` is ``before`` with something put into it at one place."""
    shortest = min(len(before), len(after))
    same = next((place for place in range(shortest) if before[place] != after[place]), shortest)
    return len(after) >= len(before) and after.endswith(before[same:])


def _first_difference(one: str, other: str) -> int:
    pairs: Iterator[tuple[str, str]] = zip(one.split("\n"), other.split("\n"), strict=False)
    return next((number for number, (mine, theirs) in enumerate(pairs, start=1) if mine != theirs), 1)


def _reason(error: BaseException) -> str:
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    mark = getattr(error, "problem_mark", None)
    return f"{str(problem).splitlines()[0]}{f' (line {mark.line + 1})' if mark else ''}"
