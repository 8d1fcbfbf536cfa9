# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries to break: nothing but a literal address reaches a command line, and no target is dropped."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_arguments import Command
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import ScanError
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.targets import read_targets
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = [
    *("-oN /etc/passwd", "-oN", "--script=x", "-iL/etc/passwd", "a b", "a;id", "$(id)", "`id`", "a|b", "a&b", "a>b"),
    *("10.0.0.0/8", "10.0.0.1-9", "10.0.*.1", "10.0.0.1,2", "127.1", "0x7f.1", "2130706433", "0x7f000001", "010.0.0.1"),
    *("", " ", "\n", "a\n", "127.0.0.1\n-oN", "a\x00b", "a" * 300, "-", ".", "..", "a..b", "-a.example", "a-.example"),
    *("0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "fe80::1", "fe80::1%eth0", "::1%lo", "[::1]"),
    *("user@host", "http://host/", "host:80", "\u202eexample", "ex\u00e4mple", "\uff11.1.1.1", "\ud800", "'", '"'),
]


def no_resolver(name: str) -> Sequence[str]:
    raise AssertionError(f"{name!r} was asked for")


@pytest.mark.parametrize("text", [text for text in HOSTILE if text not in ("10.0.0.1-9",)])
def test_hostile_targets_are_refused_by_name(text: str) -> None:
    (target,) = read_targets([{"host": "h", "address": text}], no_resolver)
    assert target.refused
    assert not target.addresses
    assert target.given.isprintable()


@given(st.text(max_size=40) | st.sampled_from(HOSTILE))
def test_only_literals_come_out(text: str) -> None:
    def resolver(name: str) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    (target,) = read_targets([{"host": text, "address": text}], resolver)
    assert bool(target.addresses) + bool(target.refused) + bool(target.failed) == 1
    for address in target.addresses:
        assert str(ipaddress.ip_address(address)) == address


def test_names_are_resolved_here_and_bad_ones_do_not_stop_the_rest() -> None:
    def resolver(name: str) -> Sequence[str]:
        answers = {"web.example": ["198.18.0.1", "fd00::1", "198.18.0.1"], "odd.example": ["-oN", "0.0.0.0"]}
        if name not in answers:
            raise socket.gaierror(-2, "Name or service not known")
        return answers[name]

    names = ["web.example", "gone.example", "odd.example", "::ffff:198.18.0.2", "-x"]
    found = read_targets([{"host": "h", "address": name} for name in names], resolver)
    assert [target.addresses for target in found] == [("198.18.0.1", "fd00::1"), (), (), ("198.18.0.2",), ()]
    assert "gone.example does not resolve" in str(found[1].failed)
    assert found[2].failed
    assert found[4].refused


@given(st.text(max_size=20) | st.sampled_from(HOSTILE))
def test_the_command_line_itself_takes_only_literals(text: str) -> None:
    command = Command((text,), PortSet.of([22]), PortSet(), 500, 1, 0, privileged=True)
    try:
        argv = command.argv("/usr/bin/nmap", "/tmp/report.xml")
    except ValueError:
        return
    assert argv[-1] == str(ipaddress.ip_address(text))


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a,b", "all or not", "--help", "A", "", "x\n"])
def test_script_names_are_names(name: str) -> None:
    command = Command(("127.0.0.1",), PortSet.of([22]), PortSet(), 500, 1, 0, privileged=True, scripts=(name,))
    if name != "--help":  # harmless as the value of --script, and refused by the options
        with pytest.raises(ScanError):
            command.argv("/usr/bin/nmap", "/tmp/report.xml")


@pytest.mark.parametrize(
    ("answers", "own", "scanned"),
    [
        (["198.18.0.1"], ["198.18.0.1"], True),
        (["198.18.0.1"], None, True),  # the caller knows no better
        (["198.18.0.1"], [], False),
        (["198.18.0.9"], ["198.18.0.1"], False),
        (["198.18.0.1", "198.18.0.9"], ["198.18.0.1"], False),
        (["::ffff:198.18.0.1"], ["198.18.0.1"], True),
        (["127.0.0.1"], ["198.18.0.1"], False),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(answers: list[str], own: list[str] | None, scanned: bool) -> None:
    entry = {"host": "web1", "address": "web1.example", "own_addresses": own}
    (target,) = read_targets([entry], lambda _name: answers)
    assert bool(target.addresses) == scanned
    assert scanned or "which is no address of web1" in str(target.refused)


def test_a_name_is_asked_for_once_so_that_no_answer_comes_after_the_check() -> None:
    answers = [["198.18.0.1"], ["198.18.0.9"]]
    entry = {"host": "web1", "address": "web1.example", "own_addresses": ["198.18.0.1"]}
    (target,) = read_targets([entry], lambda _name: answers.pop(0))
    assert target.addresses == ("198.18.0.1",)
    assert len(answers) == 1


def test_a_reserved_address_is_no_host() -> None:
    (target,) = read_targets([{"host": "h", "address": "240.0.0.1"}], no_resolver)
    assert target.refused


@pytest.mark.parametrize("text", ["fe80::1%eth0", "fe80::abcd%3", "fe80::1%br-lan.7"])
def test_a_zone_is_named_as_what_it_is(text: str) -> None:
    (target,) = read_targets([{"host": "h", "address": text}])
    assert target.addresses == ()
    assert "link-local" in str(target.refused)
    assert "vigil_addresses" in str(target.refused)
