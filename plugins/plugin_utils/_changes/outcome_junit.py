# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of a change as ``junit.xml``: a suite for each host. This module is private to the collection.

A case for each thing that was planned, one for all that was not, one for each look. failure: it is otherwise than
planned. error: it could not be told. Names hold nothing that differs from window to window of the same plan.
"""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

from .._reports.junit import conforming
from .close_window import Outcomes
from .outcome_text import WORDS
from .side import AFTER, BEFORE, NOTHING_ELSE, Outcome

with contextlib.suppress(ImportError):  # the door says so: _reports/junit.py keeps the error
    import junit_xml

_LIMIT = 4000
_ALWAYS = (BEFORE, AFTER, NOTHING_ELSE)
_HEAD, _END = b'<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n', b"</testsuites>\n"


def junit_chunks(found: Outcomes) -> Iterator[bytes]:
    """The file in pieces, as UTF-8."""
    yield _HEAD
    for number, (host, rows) in enumerate(found.hosts.items()):
        yield ET.tostring(_suite(found, number, host, rows), encoding="utf-8") + b"\n"
    yield _END


def _suite(found: Outcomes, number: int, host: str, rows: Sequence[Outcome]) -> ET.Element:
    classname = "vigil.ports.change." + _clean(host).replace(".", "_")
    names = sorted({*_ALWAYS, *(one.case for one in rows)})
    cases = [_case(name, classname, [one for one in rows if one.case == name]) for name in names]
    notes = "\n".join(f"{WORDS[one.kind]}: {_clean(one.text)}" for one in rows if one.kind in ("note", "as-planned"))
    suite = junit_xml.TestSuite(
        _clean(host),
        cases,
        hostname=_clean(host),
        package="vigil.ports",
        timestamp=found.closed.removesuffix("Z"),
        properties={"change": _clean(found.change), "before": found.window["before"]["run_id"], "after": found.after},
        stdout=notes,
    )
    return conforming(suite.build_xml_doc(), number)


def _case(name: str, classname: str, rows: Sequence[Outcome]) -> object:
    case = junit_xml.TestCase(_clean(name), classname=classname, elapsed_sec=0)
    failed = [one for one in rows if one.kind in ("not-planned", "not-done")]
    untold = [one for one in rows if one.kind == "not-known"]
    body = "\n".join(f"{WORDS[one.kind]}: {_clean(one.text)}" for one in (*failed, *untold))
    if failed:
        case.add_failure_info(_message(failed), body, failure_type=failed[0].kind)
    elif untold:
        case.add_error_info(_message(untold), body, error_type=untold[0].kind)
    return case


def _message(rows: Sequence[Outcome]) -> str:
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"{WORDS[rows[0].kind]}: {_clean(rows[0].text, 300)}{more}"


def _clean(text: str, limit: int = _LIMIT) -> str:
    return visible(text, limit)
