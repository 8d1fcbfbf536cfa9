# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The declared inventory held against ``schemas/inventory.schema.json``. Private to the collection."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .plain import Plain
from .problem import Problem, shown

try:
    import jsonschema
except ImportError as error:
    JSONSCHEMA_IMPORT_ERROR: ImportError | None = error
else:
    JSONSCHEMA_IMPORT_ERROR = None

#: ``schemas/`` of the collection, seen from ``plugins/plugin_utils/_inventory``.
SCHEMA_FILE = Path(__file__).resolve().parents[3] / "schemas" / "inventory.schema.json"


def schema_problems(variables: Mapping[str, Plain]) -> list[Problem]:
    """Every way in which the variables break the schema, in the order of their places."""
    errors = sorted(
        _validator().iter_errors(dict(variables)), key=lambda error: [str(step) for step in error.absolute_path]
    )
    return [problem for error in errors for problem in _problems_of(error)]


@functools.cache
def _validator() -> Any:
    return schema_validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def schema_validator(schema: Mapping[str, Any]) -> Any:
    """A validator of JSON Schema 2020-12."""
    return jsonschema.Draft202012Validator(schema)


def _problems_of(error: Any) -> Iterator[Problem]:
    place = _place(error)
    if error.validator == "additionalProperties":
        yield from _unknown_keys(error, place)
    elif error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        # jsonschema reports each missing key on its own, with the key quoted at the start of the message.
        for key in missing:
            if error.message.startswith(repr(key)):
                what = str(error.schema.get("properties", {}).get(key, {}).get("description", "a value"))
                yield Problem(place, shown(error.instance), f"the key {key!r} is missing", f"{key}: {what}")
    else:
        yield Problem(place, shown(error.instance), _message(error), _allowed(error.schema))


def _place(error: Any) -> str:
    steps = list(error.absolute_path)
    text = str(steps[0]) if steps else "(variables)"
    for step in steps[1:]:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text


def _unknown_keys(error: Any, place: str) -> Iterator[Problem]:
    known = sorted(error.schema.get("properties", {}))
    for key in sorted(set(error.instance) - set(known)):
        near = [name for name in known if name.startswith(key)] or difflib.get_close_matches(key, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        yield Problem(f"{place}.{key}", shown(error.instance[key]), f"unknown key{hint}", ", ".join(known))


def _message(error: Any) -> str:
    if error.validator == "type":
        return f"wrong type: {_type_name(error.instance)}"
    if error.validator in ("minimum", "maximum", "minItems", "minLength", "maxLength", "minProperties"):
        return "too small or too short" if str(error.validator).startswith("min") else "too large or too long"
    if error.validator == "uniqueItems":
        return "an entry stands twice"
    return "not an allowed value"


def _type_name(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", int: "a number", float: "a number", bool: "a truth value"}
    return names.get(type(value), "nothing (null)")


def _allowed(schema: Mapping[str, Any]) -> str:
    """What a piece of the schema lets through, in words."""
    if "$ref" in schema:
        target = _validator().schema["$defs"][str(schema["$ref"]).rsplit("/", 1)[-1]]
        return _allowed({**target, **{key: value for key, value in schema.items() if key != "$ref"}})
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "oneOf" in schema:
        return " or ".join(dict.fromkeys(_allowed(choice) for choice in schema["oneOf"]))
    if schema.get("type") == "array":
        return f"a list of {_allowed(schema['items'])}" if "items" in schema else "a list"
    if schema.get("type") == "integer":
        return f"a number from {schema['minimum']} to {schema['maximum']}"
    if schema.get("type") == "object":
        keys = ", ".join(sorted(schema.get("properties", {})))
        return f"a mapping with {keys}" if keys else "a mapping"
    if "pattern" in schema:
        return _PATTERNS.get(str(schema["pattern"]), str(schema.get("description", f"text like {schema['pattern']}")))
    if isinstance(schema.get("type"), list):
        return " or ".join("a number" if kind == "integer" else "text" for kind in schema["type"])
    return {"string": "text", "boolean": "true or false"}.get(str(schema.get("type")), "a value")


_PATTERNS = {
    "^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?$": 'a range as "8000-8010"',
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a day as YYYY-MM-DD",
}
