# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records come out of bytes as they went in, and whatever is no record is refused with its place and value."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._audit.judge_run import judge_run
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.atomic import json_bytes
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import (
    ShapeError,
    changed,
    converted,
    decoded,
    encoded,
    plain,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import (
    HOSTS,
    MOST_BYTES,
    HostEvidence,
    InventoryError,
)
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.results_file import read_results
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.shape import listing_of
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from hypothesis import given
from hypothesis import strategies as st

Json = dict[str, Any]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
WHOLE = build.host_evidence(
    [build.declared(443)],
    [
        build.listener(443, owners=[build.owner(executable_file={"size": 1, "modified": 2, "inode": 3})]),
        build.listener(8080, activated={"name": "x", "executable": None, "uid": 1, "user": None}),
    ],
)


@given(st.dictionaries(st.text(), JSON))
def test_the_bytes_are_ascii_and_those_that_json_gives(inventory: Json) -> None:
    evidence = changed(WHOLE, inventory=inventory)
    assert encoded(evidence) == json_bytes(json.loads(encoded(evidence))) == encoded(evidence)
    assert encoded(evidence).isascii()
    read = decoded(HostEvidence, encoded(evidence), "host")
    assert read == evidence
    assert encoded(read) == encoded(evidence)
    assert plain(read) == json.loads(encoded(evidence))


def wrong(place: str, value: Any) -> bytes:
    """The evidence with a value at a place, as ``listening.listeners.1.port``."""
    row = json.loads(encoded(WHOLE))
    *above, last = place.split(".")
    around = row
    for step in above:
        around = around[int(step) if isinstance(around, list) else step]
    around[last] = value
    return json.dumps(row).encode()


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("listening.listeners.1.port", 70000, "host.listening.listeners[1].port: 70000, expected int <= 65535"),
        ("listening.listeners.1.port", True, "host.listening.listeners[1].port: true, expected int, got bool"),
        ("listening.listeners.0.owners.0.pid", "7", 'owners[0].pid: "7", expected int, got str'),
        ("listening.listeners.0.owners.0.executable_file.inode", None, "executable_file.inode: null, expected int"),
        ("listening.listeners.0.owners_state", "lost", 'listeners[0].owners_state: "lost", invalid enum value'),
        ("listening.listeners.0.address", "web", "listeners[0]: 'web' does not appear to be an IPv4 or IPv6 address"),
        ("listening.listeners.0.colour", "red", "host.listening.listeners[0].colour: an unknown key"),
        ("listening.listeners.0.owners", {}, "host.listening.listeners[0].owners: expected array, got object"),
        ("listening.coverage.started", "today", 'listening.coverage.started: "today", expected str matching regex'),
        ("listening.coverage.sources", {"tcp_ipv4": 5}, "host.listening.coverage.sources[...]: expected str"),
        ("outside_addresses", {"default": [5]}, "host.outside_addresses[...][0]: expected str, got int"),
        ("inventory", [], "host.inventory: expected object, got array"),
        ("more", 1, "host.more: an unknown key"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_its_value(place: str, value: Any, said: str) -> None:
    data = wrong(place, value)
    with pytest.raises(ShapeError) as read:
        decoded(HostEvidence, data, "host")
    assert said in str(read.value)
    with pytest.raises(ShapeError) as made:
        converted(HostEvidence, json.loads(data), "host")
    assert str(made.value).partition(":")[0] == str(read.value).partition(":")[0]


def test_a_key_that_is_missing_is_named() -> None:
    row = json.loads(encoded(WHOLE))
    del row["listening"]["listeners"][1]["port"]
    with pytest.raises(ShapeError, match=r"^host\.listening\.listeners\[1\]: the key port is missing$"):
        decoded(HostEvidence, json.dumps(row).encode(), "host")


LARGE = {
    "200 MB": b'{"inventory":{"x":"',  # and the rest is zeros
    "nested": b'{"inventory":' + b'{"a":' * 200_000 + b"1" + b"}" * 200_001,
    "open": b"[" * 200_000,
    "a long number": wrong("inventory", {"x": 12345}).replace(b"12345", b"9" * 10_000),
    "a long port": wrong("listening.listeners.0.port", 12345).replace(b"12345", b"9" * 10_000),
    "a large number": wrong("inventory", {"x": 12345}).replace(b"12345", b"1e999"),
    "no number": wrong("inventory", {"x": 12345}).replace(b"12345", b"NaN"),
    "half a character": wrong("inventory", {"x": 12345}).replace(b"12345", b'"\\ud800"'),
    "no UTF-8": wrong("inventory", {"x": 12345}).replace(b"12345", b'"\xff"'),
}


@pytest.mark.parametrize("name", LARGE)
def test_evidence_without_measure_is_a_gap_of_its_host_and_memory_stays_bounded(name: str, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    for folder in (run.path / "evidence/hosts", run.path / "evidence/scans"):
        folder.mkdir(parents=True)
    run.write_run(build.run(["web1", "web2"]))
    run.write(HOSTS, build.host_evidence(host="web2"))
    (run.path / "evidence/hosts" / "web1.json").write_bytes(LARGE[name])
    if name == "200 MB":
        os.truncate(run.path / "evidence/hosts" / "web1.json", 200_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert not judge_run(run)["gate"]["passed"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB
    gaps = {row["gap"]: row["message"] for row in read_results(run.results).notable if row["gap"]}
    assert "evidence/hosts/web1.json: " in gaps["web1:evidence-damaged"]
    assert not [gap for gap in gaps if gap.startswith("web2:") and "damaged" in gap]


def test_a_listing_that_is_too_large_to_keep_is_none() -> None:
    listing = build.listening([build.listener(port, unit="x" * 8000) for port in range(1, MOST_BYTES // 8000 + 2)])
    assert f"more than the {MOST_BYTES} that can be kept" in str(listing_of(listing))


_WITHOUT = """
import sys, types
sys.path[:0] = {path!r}
sys.modules["msgspec"] = {stand_in}
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import MSGSPEC_IMPORT_ERROR, MSGSPEC_NEEDED
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records import host, listening, values
from ansible_collections.vigil.ports.plugins.plugin_utils import _door
print(MSGSPEC_IMPORT_ERROR, "/", MSGSPEC_NEEDED)
assert dict(_door._LIBRARIES)[MSGSPEC_NEEDED] is MSGSPEC_IMPORT_ERROR
"""
_OLD = """types.SimpleNamespace(__version__="0.18.6", UNSET=0, Meta=dict, Struct=object, UnsetType=int)"""


@pytest.mark.parametrize(
    ("stand_in", "said"), [("None", "halted; None in sys.modules"), (_OLD, "msgspec 0.18.6 is too old")]
)
def test_records_are_imported_without_msgspec_and_the_door_says_what_to_install(stand_in: str, said: str) -> None:
    code = _WITHOUT.format(path=[path for path in sys.path if path], stand_in=stand_in)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert "msgspec, 0.19 or newer" in done.stdout


class Tagged(str):
    """As Ansible ties to a text where it comes from."""

    __slots__ = ("origin",)


def test_a_text_with_a_tag_of_ansible_is_the_text() -> None:
    error = InventoryError(
        place="vigil_ports", value=Tagged("a template"), message=Tagged("caf\u00e9 is undefined"), allowed="a value"
    )
    tagged = changed(build.host_evidence(), inventory_errors=(error,))
    assert decoded(HostEvidence, encoded(tagged), "host").inventory_errors[0].message == "caf\u00e9 is undefined"
    with pytest.raises(NotImplementedError):
        encoded(changed(build.host_evidence(), inventory={"vigil_ports": [object()]}))
