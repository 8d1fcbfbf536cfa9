# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From bytes to records and back, and the only place that does it. This module is private to the collection.

A record is one shape that is kept on disk, declared once in ``records``. Decoding checks: what comes out is as its
record says, down to the last field, and what is not is refused with its place and value. Keys that a record does not
have are refused too. The same record always gives the same bytes: ASCII, keys sorted, no spaces, a newline at the end.

msgspec does it, in C, and makes the schemas. Records can be imported without it, but not made: the doors refuse to act
(``MSGSPEC_IMPORT_ERROR``).
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

#: With what records need of msgspec: nothing else imports it.
__all__ = (
    "MSGSPEC_IMPORT_ERROR",
    "MSGSPEC_NEEDED",
    "UNSET",
    "Meta",
    "NotJSONError",
    "Record",
    "ShapeError",
    "UnsetType",
    "changed",
    "converted",
    "decoded",
    "encoded",
    "plain",
    "schemas_of",
    "shape_in",
)

_LEAST_VERSION = (0, 19)

MSGSPEC_IMPORT_ERROR: ImportError | None = None


def _refuse_old(version: str) -> None:
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < _LEAST_VERSION:
        raise ImportError(f"msgspec {version} is too old")


if TYPE_CHECKING:
    import msgspec
    from msgspec import UNSET, Meta, Struct, UnsetType
else:
    try:
        import msgspec
        from msgspec import UNSET, Meta, Struct, UnsetType

        _refuse_old(msgspec.__version__)
    except ImportError as error:
        MSGSPEC_IMPORT_ERROR = error
        UNSET = UnsetType = None

        class Struct:
            def __init_subclass__(cls, **_options):
                super().__init_subclass__()

        def Meta(**_options):  # noqa: N802
            return None


#: For the door: what to install.
MSGSPEC_NEEDED = f"msgspec, {'.'.join(map(str, _LEAST_VERSION))} or newer"


class Record(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A shape that is kept on disk. Fields that may be absent have the default ``UNSET``, and stay absent."""


R = TypeVar("R", bound=Record)


class ShapeError(ValueError):
    """What is wrong in a record, as ``listening.listeners[3].port: 70000, expected int <= 65535``."""


class NotJSONError(ShapeError):
    """Bytes that are no JSON at all, or cannot be kept."""


def decoded(kind: type[R], data: bytes, name: str) -> R:
    """The record in bytes of JSON. ``name`` begins the places in errors. Raises ShapeError."""
    try:
        return _decoder(kind).decode(data)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise ShapeError(_sentence(error, name, functools.partial(_value_in_bytes, data))) from None
    except msgspec.DecodeError as error:
        what = "it holds text that is no Unicode" if "surrogate" in str(error) else f"not JSON ({error})"
        raise NotJSONError(what) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise NotJSONError(f"not JSON ({error})") from None


def converted(kind: type[R], value: object, name: str, most: int | None = None) -> R:
    """The record in a value of plain JSON types. Raises ShapeError, also where it takes more than ``most`` bytes."""
    try:
        record = msgspec.convert(value, kind)
        size = len(encoded(record))  # text that is no Unicode, and values that nest without end, show only then
    except msgspec.ValidationError as error:
        raise ShapeError(_sentence(error, name, functools.partial(_value_in, value))) from None
    except UnicodeEncodeError as error:
        what = ascii(error.object[error.start : error.end])[:20]
        raise NotJSONError(f"{name} holds text that is no Unicode: {what}") from None
    except (RecursionError, OverflowError) as error:
        raise NotJSONError(f"{name} cannot be kept as JSON: {error}") from None
    if most is not None and size > most:
        raise ShapeError(f"{name} takes {size} bytes, more than the {most} that can be kept")
    return record


def encoded(record: Record) -> bytes:
    """The record as one line of JSON in ASCII. Raises UnicodeEncodeError for text that is no Unicode."""
    return _ascii(_encoder().encode(record)) + b"\n"


def plain(record: object) -> Any:
    """The record as dicts and lists, keys sorted; what is absent stays absent."""
    return msgspec.json.decode(_encoder().encode(record))


def changed(record: R, **fields: Any) -> R:
    """The record with other values of some fields."""
    return msgspec.structs.replace(record, **fields)


def shape_in(data: bytes) -> object:
    """The mark ``shape`` of bytes that may be anything; None where there is none."""
    with contextlib.suppress(msgspec.MsgspecError, LookupError, ValueError, RecursionError):
        return msgspec.json.decode(msgspec.json.decode(data, type=dict[str, msgspec.Raw])["shape"])
    return None


def schemas_of(*kinds: type[Record]) -> dict[str, Any]:
    """JSON Schema of each record that these are made of, by the name of its class."""
    _refs, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    return components


@functools.cache
def _decoder(kind: type[Record]) -> Any:
    return msgspec.json.Decoder(kind)


@functools.cache
def _encoder() -> Any:
    return msgspec.json.Encoder(order="sorted", enc_hook=_as_it_looks)


def _as_it_looks(value: object) -> object:
    """Texts and numbers to which Ansible has tied where they come from: types of their own, which are what they look
    like. Raises NotImplementedError for anything else."""
    if isinstance(value, str):
        return "".join((value, ""))
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    raise NotImplementedError(f"{type(value).__name__} is no JSON")


_NOT_PRINTABLE_ASCII = re.compile("[^ -~]")


def _ascii(data: bytes) -> bytes:
    """JSON in ASCII, as ``json.dumps`` writes it. Outside of strings all of JSON is printable ASCII."""
    if data.isascii() and b"\x7f" not in data:
        return data
    return _NOT_PRINTABLE_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], data.decode()).encode("ascii")


# Of msgspec's messages, which name a place as $.listening.listeners[3].port.
_PLACE = re.compile(r"(.*?)(?: - at `(key in )?\$([^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_STEPS = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_LONGEST = 100


def _sentence(error: Exception, name: str, value_at: Any) -> str:
    found = _PLACE.fullmatch(str(error))
    what, place = (found[1], found[3] or "") if found else (str(error), "")
    steps = [key or (index if index == "..." else int(index)) for key, index in _STEPS.findall(place)]
    if missing := _MISSING.fullmatch(what):
        return f"{name}{place}: the key {missing[1]} is missing"
    if unknown := _UNKNOWN.fullmatch(what):
        return f"{name}{place}.{unknown[1][:_LONGEST]}: an unknown key"
    what = what[:1].lower() + what[1:].replace("`", "")
    try:
        shown = value_at(steps)
    except (LookupError, TypeError, ValueError, RecursionError):  # it is in a mapping, of which msgspec names no key
        return f"{name}{place}: {what}"
    return f"{name}{place}: {shown}, {what}"


def _value_in(value: Any, steps: list[str | int]) -> str:
    for step in steps:
        value = value[step]
    return _scalar(ascii(value))


def _value_in_bytes(data: bytes, steps: list[str | int]) -> str:
    """The value at a place, without a copy of all that is around it."""
    value = msgspec.Raw(data)
    for step in steps:
        kind: Any = dict[str, msgspec.Raw] if isinstance(step, str) else list[msgspec.Raw]
        value = msgspec.json.decode(value, type=kind)[step]
    return _scalar(bytes(value).strip()[:_LONGEST].decode("ascii", "backslashreplace"))


def _scalar(shown: str) -> str:
    """A value as it is shown. Raises ValueError for one that holds others: its place says enough."""
    if shown[:1] in ("{", "[", "("):
        raise ValueError
    return shown[:_LONGEST]
