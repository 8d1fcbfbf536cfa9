# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nmap's questions about versions with shorter waits, and still shorter ones for a service that was silent before.

nmap waits 6 seconds for a greeting before it says a word, twice where there is TLS, and 5 to 7.5
seconds for each answer. No option shortens that, but the file of its questions does (totalwaitms,
https://nmap.org/book/vscan-fileformat.html). A late greeting is not lost: nmap takes it for the
answer to its first question.

This module is private to the collection.
"""

from __future__ import annotations

import functools
import os
import re
from typing import NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import NmapProgram
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet


class Waits(NamedTuple):
    """Milliseconds for a greeting, for the answer to a question that every port is asked, and to a rare one.

    ``rare_in_all``: for all the rare questions of one port together, 0 for no limit.
    """

    greeting: int
    everywhere: int
    rare: int
    rare_in_all: int = 0

    def for_ports(self, probes: bytes, ports: PortSet) -> Waits:
        """The same for these ports, shorter for rare questions where one of them is asked many."""
        most = max((_rare_questions(probes, port) for port in ports), default=0) if self.rare_in_all else 0
        return self._replace(rare=min(self.rare, self.rare_in_all // most)) if most else self


#: For a service that spoke when it was asked before. Measured with nmap 7.93 for 10 hosts
#: with nginx (with and without TLS), sshd, redis, mariadb and dnsmasq: 2.1 s instead of 13.5 s, and the
#: same products and versions. Up to these waits a slow greeting or answer is identified all the same.
SPOKE = Waits(500, 3000, 3000)
#: For one that did not answer the built-in questions for three seconds, most of which nmap asks as well.
SILENT = Waits(100, 300, 2000, rare_in_all=1500)
#: Questions up to this rarity are asked on every port, the others only on the ports they are known for. A
#: service that never says a word takes 19 s so, and 164 s with nmap's default of 7. With
#: --version-light (2) dnsmasq is not found on a port of its own choice.
INTENSITY = 3

_FOLDERS = ("../share/nmap", ".")  # seen from the program, as nmap itself looks for it
_NAME = "nmap-service-probes"
_QUESTION = re.compile(rb"Probe (?:TCP|UDP) (\S+) [^\n]*\n")
_WAIT = re.compile(rb"^totalwaitms [0-9]+\n", re.MULTILINE)
_PORTS = re.compile(rb"^ports ([0-9,-]+)$", re.MULTILINE)
_RARITY = re.compile(rb"^rarity ([0-9])$", re.MULTILINE)
# The other questions with a wait of their own are asked only where somebody needs that long.
_ASKED_EVERYWHERE = (b"NULL", b"Help")


def write_hurried_probes(program: NmapProgram, workdir: str, waits: Waits, ports: PortSet) -> str | None:
    """The path of a copy with short waits in ``workdir``; None where the program's own file is not found.

    ``ports``: the TCP ports that are asked with it.
    """
    for folder in _FOLDERS:
        try:
            with open(os.path.join(os.path.dirname(os.path.realpath(program.path)), folder, _NAME), "rb") as own:
                probes = own.read()
        except OSError:
            continue
        path = os.path.join(workdir, f"{_NAME}-{waits.everywhere}")
        with open(path, "wb") as copy:
            copy.write(hurried(probes, waits.for_ports(probes, ports)))
        return path
    return None


def hurried(probes: bytes, waits: Waits = SPOKE) -> bytes:
    """The file with other waits, and everything else as it was.

    Rare questions that have a wait of their own keep it, unless all rare ones together are bounded: five do, of 7.5 and
    11 seconds each, and would be longer than all else that a silent service is asked.
    """
    parts = re.split(rb"^(?=Probe )", probes, flags=re.MULTILINE)
    return b"".join(_hurried(part, waits) for part in parts)


def _rare_questions(probes: bytes, port: int) -> int:
    """How many questions are asked on this TCP port only because they are known for it."""
    return sum(port in ports for ports in _rare_ports(probes))


@functools.lru_cache(maxsize=1)
def _rare_ports(probes: bytes) -> tuple[PortSet, ...]:
    found = []
    for part in re.split(rb"^(?=Probe )", probes, flags=re.MULTILINE):
        rarity, ports = _RARITY.search(part), _PORTS.search(part)
        if part.startswith(b"Probe TCP ") and rarity and int(rarity.group(1)) > INTENSITY and ports:
            found.append(PortSet.parse([ports.group(1).decode("ascii")]))
    return tuple(found)


def _hurried(part: bytes, waits: Waits) -> bytes:
    question = _QUESTION.match(part)
    keeps_its_own = not waits.rare_in_all and question and question.group(1) not in _ASKED_EVERYWHERE
    if question is None or (_WAIT.search(part) and keeps_its_own):
        return part
    rarity = _RARITY.search(part)
    wait = waits.rare if rarity and int(rarity.group(1)) > INTENSITY else waits.everywhere
    if question.group(1) == b"NULL":
        wait = waits.greeting
    return question.group(0) + b"totalwaitms %d\n" % wait + _WAIT.sub(b"", part[question.end() :])
