# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules document and return is what records keep, field by field, in both directions."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml
from ansible_collections.vigil.ports.plugins.module_utils._listeners import model
from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import OwnAddress
from ansible_collections.vigil.ports.plugins.module_utils._listeners.observe import Host, Request, observe
from ansible_collections.vigil.ports.plugins.module_utils._scan import observations
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.modules import listeners_info, scan_info
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import Record, plain
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records import listening as recorded
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records import reachable as reached
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.values import AskedPorts
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import listing_of

Json = dict[str, Any]
SIMPLE = {"str": str, "int": int, "bool": bool}


def parts_of(annotation: Any) -> Iterator[Any]:
    """The types of a field, without what says that it may be null or absent, or how it is limited."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from parts_of(part)
    elif origin is typing.Annotated:
        yield from parts_of(typing.get_args(annotation)[0])
    elif origin is typing.Literal:
        yield type(typing.get_args(annotation)[0])
    elif annotation not in (type(None), msgspec.UnsetType):
        yield annotation


def differences(place: str, documented: Json, record: type[Record]) -> Iterator[str]:
    """Where the documentation of a module and a record say different things."""
    hints = typing.get_type_hints(record, include_extras=True)
    for name in sorted(documented.keys() ^ set(record.__struct_fields__)):
        yield f"{place}.{name}: only {'documented' if name in documented else 'recorded'}"
    for name in documented.keys() & set(record.__struct_fields__):
        said, (kind,) = documented[name], list(parts_of(hints[name]))
        yield from of_kind(f"{place}.{name}", said, kind)


def of_kind(place: str, said: Json, kind: Any) -> Iterator[str]:
    origin = typing.get_origin(kind)
    if said["type"] in SIMPLE:
        if kind is not SIMPLE[said["type"]]:
            yield f"{place}: documented as {said['type']}, recorded as {kind}"
    elif said["type"] == "list":
        if origin is not tuple:
            yield f"{place}: documented as a list, recorded as {kind}"
            return
        (element,) = parts_of(typing.get_args(kind)[0])
        inner = {**said, "type": said["elements"]}
        if said["elements"] == "list":  # of lists, what is in them cannot be documented but in words
            inner = {"type": "list", "elements": "str"}
        yield from of_kind(place, inner, element)
    elif origin is dict:
        yield from (f"{place}.{one}: no text" for one, row in said["contains"].items() if row["type"] != "str")
    elif kind is AskedPorts:  # by protocol, which an option names
        return
    elif not (isinstance(kind, type) and issubclass(kind, Record)):
        yield f"{place}: documented as a dict, recorded as {kind}"
    else:
        yield from differences(place, said["contains"], kind)


def test_what_listeners_info_documents_is_what_is_kept() -> None:
    documented = yaml.safe_load(listeners_info.RETURN)
    assert list(differences("listening", documented, recorded.Listening)) == []


def test_what_scan_info_documents_is_what_is_kept() -> None:
    documented = yaml.safe_load(scan_info.RETURN)
    assert list(differences("scan", documented, reached.ScanAnswer)) == []


def test_a_difference_is_seen_in_both_directions() -> None:
    documented = yaml.safe_load(listeners_info.RETURN)
    del documented["addresses"]["contains"]["inner"]
    documented["listeners"]["contains"]["colour"] = {"type": "str"}
    documented["coverage"]["contains"]["privileged"]["type"] = "str"
    assert sorted(differences("listening", documented, recorded.Listening)) == [
        "listening.addresses.inner: only recorded",
        "listening.coverage.privileged: documented as str, recorded as <class 'bool'>",
        "listening.listeners.colour: only documented",
    ]


@pytest.mark.parametrize(
    ("returned", "record", "added"),
    [
        (OwnAddress, recorded.OwnAddress, {"inner"}),
        (model.Package, recorded.Package, set()),
        (model.ExecutableFile, recorded.ExecutableFile, set()),
        (observations.StateRow, reached.StateRow, set()),
        (observations.Service, reached.Service, set()),
        (observations.Script, reached.Script, set()),
        (observations.Endpoint, reached.Endpoint, set()),
    ],
)
def test_what_runs_on_hosts_has_the_fields_of_its_record(returned: Any, record: type[Record], added: set[str]) -> None:
    fields = getattr(returned, "_fields", None) or returned.__dataclass_fields__
    assert set(fields) | added == set(record.__struct_fields__)


def test_what_this_host_returns_is_kept_as_it_is() -> None:
    request = Request(namespaces="host", packages=True, verify_bind={"tcp": PortSet.of([65_000]), "udp": PortSet()})
    returned = observe(request, Host())
    listing = listing_of(returned)
    assert isinstance(listing, recorded.Listening), listing
    assert plain(listing) == returned
