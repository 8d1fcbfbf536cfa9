# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nmap's questions about versions with shorter waits.

nmap waits 6 seconds for a greeting before it says a word, twice where there is TLS, and 5 to 7.5
seconds for each answer. No option shortens that, but the file of its questions does (totalwaitms,
https://nmap.org/book/vscan-fileformat.html). A late greeting is not lost: nmap takes it for the
answer to its first question.

This module is private to the collection.
"""

from __future__ import annotations

import os
import re

from ansible_collections.vigil.ports.plugins.module_utils._scan.nmap_program import NmapProgram

#: Milliseconds for a greeting, and for the answer to a question. Measured with nmap 7.93 for 10 hosts
#: with nginx (with and without TLS), sshd, redis, mariadb and dnsmasq: 2.1 s instead of 13.5 s, and the
#: same products and versions. Up to these waits a slow greeting or answer is identified all the same.
GREETING, ANSWER = 500, 3000
#: Questions up to this rarity are asked on every port, the others only on the ports they are known for. A
#: service that never says a word takes 19 s so, and 164 s with nmap's default of 7. With
#: --version-light (2) dnsmasq is not found on a port of its own choice.
INTENSITY = 3

_FOLDERS = ("../share/nmap", ".")  # seen from the program, as nmap itself looks for it
_NAME = "nmap-service-probes"
_QUESTION = re.compile(rb"Probe (?:TCP|UDP) (\S+) [^\n]*\n")
_WAIT = re.compile(rb"^totalwaitms [0-9]+\n", re.MULTILINE)
# The other questions with a wait of their own are asked only where somebody needs that long.
_ASKED_EVERYWHERE = (b"NULL", b"Help")


def write_hurried_probes(program: NmapProgram, workdir: str) -> str | None:
    """The path of a copy with short waits in ``workdir``; None where the program's own file is not found."""
    for folder in _FOLDERS:
        try:
            with open(os.path.join(os.path.dirname(os.path.realpath(program.path)), folder, _NAME), "rb") as own:
                probes = own.read()
        except OSError:
            continue
        path = os.path.join(workdir, _NAME)
        with open(path, "wb") as copy:
            copy.write(hurried(probes))
        return path
    return None


def hurried(probes: bytes) -> bytes:
    """The file with the waits of what is asked on every port replaced; everything else as it was."""
    return b"".join(_hurried(part) for part in re.split(rb"^(?=Probe )", probes, flags=re.MULTILINE))


def _hurried(part: bytes) -> bytes:
    question = _QUESTION.match(part)
    if question is None or (_WAIT.search(part) and question.group(1) not in _ASKED_EVERYWHERE):
        return part
    wait = GREETING if question.group(1) == b"NULL" else ANSWER
    return question.group(0) + b"totalwaitms %d\n" % wait + _WAIT.sub(b"", part[question.end() :])
