# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UDP without raw packets and without root: one connected socket for each port, standard library only.

An answer is open, an ICMP message "port unreachable" of the target itself is closed, one of somebody else is
filtered, and silence is open|filtered. What this machine did not send is unknown, and never silence.

A host sends few ICMP messages (Linux: one a second for each peer, after a burst of six, icmp_ratelimit in icmp(7)).
So the ports of a target that has sent one, and is silent on others, are asked again one by one, slower than that.

This module is private to the collection.
"""

from __future__ import annotations

import heapq
import select
import socket
import time
from collections import deque
from typing import Callable, Mapping, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.connect_answers import (
    IP_RECVERR,
    IPV6_RECVERR,
    NO_NEIGHBOUR,
    Answer,
    not_begun,
    of_datagram,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.neighbours import unanswered_neighbours
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    CLOSED,
    OPEN,
    OPEN_OR_FILTERED,
    SILENT,
    Endpoint,
    Problem,
    ScanRequest,
    Seen,
    StateRow,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.open_files import sockets_to_use
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.datagrams import messages_for

#: How long an answer is waited for.
WAIT = 1.0
#: Seconds between two probes to a target whose ICMP messages are limited.
_ICMP_PAUSE = 1.1
_LONGEST_ANSWER = 4096
_FRUITLESS_TRIES = 20
_PAUSE_WHEN_SHORT = 0.05
_IDLE = 0.2  # seconds between two looks at Stop
_SILENCE = Answer(OPEN_OR_FILTERED, SILENT, again=True)


class _Probe(NamedTuple):
    target: int
    port: int
    sent: int  # datagrams before this one that were not answered
    fruitless: int


class _Target:
    def __init__(self, address: str) -> None:
        self.address = address
        is_ipv6 = ":" in address
        self.family = int(socket.AF_INET6 if is_ipv6 else socket.AF_INET)
        #: Keeps the ICMP message that ended a probe.
        self.keep_icmp = (socket.IPPROTO_IPV6, IPV6_RECVERR, 1) if is_ipv6 else (socket.IPPROTO_IP, IP_RECVERR, 1)
        self.answers: dict[int, Answer] = {}
        self.silent: list[_Probe] = []
        self.sends_icmp = False
        self.next_at = 0.0
        self.deadline: float | None = None
        self.reason: str | None = None

    def seen(self) -> Seen:
        grouped: dict[tuple[str, str], list[int]] = {}
        for port, answer in self.answers.items():
            if answer.state is None:
                self.reason = answer.reason
            else:
                grouped.setdefault((answer.state, answer.reason), []).append(port)
        rows = [StateRow("udp", *key, ports=PortSet.of(ports)) for key, ports in sorted(grouped.items())]
        endpoints = [
            Endpoint("udp", port, row.state, row.reason)
            for row in rows
            if row.state in (OPEN, OPEN_OR_FILTERED)
            for port in row.ports
        ]
        return Seen(tuple(rows), tuple(endpoints), self.reason)


class UdpScan:
    """Asks ``wanted`` ports of each address, as fast as ``request`` says. ``said`` holds the first answer of each."""

    def __init__(
        self,
        request: ScanRequest,
        wanted: Mapping[str, PortSet],
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request = request
        self._stop = stop
        self._clock = clock
        self._targets = [_Target(address) for address in wanted]
        self._fresh = deque(
            _Probe(index, port, 0, 0)
            for port, index in sorted((port, index) for index, ports in enumerate(wanted.values()) for port in ports)
        )
        self._later: list[tuple[float, _Probe]] = []
        self._pending: dict[int, tuple[socket.SocketType, _Probe]] = {}
        self._expiry: deque[tuple[float, int, socket.SocketType]] = deque()
        self._poll = select.epoll()
        self._most = sockets_to_use()
        self._next_send = 0.0
        self._unanswered = sum(map(len, wanted.values()))
        self.sent = 0
        self.said: dict[tuple[str, int], bytes] = {}
        self.problems: list[Problem] = []
        self.whole = True

    def run(self) -> dict[str, Seen]:
        """What each address answered; never raises for what the network does."""
        try:
            self._ask()
            self._ask_the_neighbours()
        finally:
            for sock, _probe in self._pending.values():
                sock.close()
            self._poll.close()
        why = self._stop.why()
        if why and self._unanswered:
            self.whole = False
            self.problems.append(Problem("scan-stopped", f"{why}: what was seen of UDP by then is kept"))
            for target in self._targets:
                target.reason = target.reason or why
        return {target.address: target.seen() for target in self._targets}

    def _ask(self) -> None:
        gap = 1.0 / self._request.pace(len(self._targets))
        while self._unanswered and not self._stop.why():
            now = self._clock()
            while now >= self._next_send and len(self._pending) < self._most:
                probe = self._due(now)
                if probe is None:
                    break
                self._next_send = max(self._next_send + gap, now - 10 * gap)
                self._send(probe, now)
            self._collect(self._pause(now))
            self._expire()

    def _due(self, now: float) -> _Probe | None:
        if self._later and self._later[0][0] <= now:
            return heapq.heappop(self._later)[1]
        return self._fresh.popleft() if self._fresh else None

    def _pause(self, now: float) -> float:
        pause = _IDLE
        if self._expiry:
            pause = min(pause, self._expiry[0][0] - now)
        may_send = len(self._pending) < self._most
        if self._fresh and may_send:
            pause = min(pause, self._next_send - now)
        elif self._later and may_send:
            pause = min(pause, max(self._later[0][0], self._next_send) - now)
        return self._stop.wait_at_most(max(0.0, pause))

    def _send(self, probe: _Probe, now: float) -> None:
        target = self._targets[probe.target]
        if self._is_late(target, now):
            self._settle(
                probe, Answer(None, f"the time-out of {self._request.host_timeout} s for this target was over")
            )
            return
        messages = messages_for(probe.port)
        try:
            sock = socket.SocketType(target.family, int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
        except OSError as error:
            self._settle(probe, not_begun(error.errno or 0, target.address))
            return
        try:
            sock.setsockopt(*target.keep_icmp)
            sock.connect((target.address, probe.port))
            if sock.getsockname() == sock.getpeername():  # the port's own number as the source: it would ask itself
                sock.close()
                self._settle(probe, Answer(None, "connected to itself", again=True))
                return
            sock.send(messages[probe.sent % len(messages)].sent)
        except OSError as error:
            sock.close()
            self._settle(probe, not_begun(error.errno or 0, target.address))
            return
        self.sent += 1
        descriptor = sock.fileno()
        self._pending[descriptor] = (sock, probe)
        self._expiry.append((now + WAIT, descriptor, sock))
        self._poll.register(descriptor, select.EPOLLIN)

    def _is_late(self, target: _Target, now: float) -> bool:
        if not self._request.host_timeout:
            return False
        if target.deadline is None:
            target.deadline = now + self._request.host_timeout
        return now >= target.deadline

    def _collect(self, pause: float) -> None:
        for descriptor, _events in self._poll.poll(pause, 4096):
            sock, probe = self._pending.pop(descriptor)
            target = self._targets[probe.target]
            try:
                self.said[target.address, probe.port] = sock.recv(_LONGEST_ANSWER)
                answer = Answer(OPEN, "udp-response")
            except OSError as error:
                answer = of_datagram(sock, error.errno or 0, target.address)
            sock.close()
            self._settle(probe, answer)

    def _expire(self) -> None:
        now = self._clock()
        while self._expiry:
            deadline, descriptor, sock = self._expiry[0]
            pending = self._pending.get(descriptor)
            mine = pending is not None and pending[0] is sock
            if mine and deadline > now:
                return
            self._expiry.popleft()
            if pending is not None and mine:
                del self._pending[descriptor]
                sock.close()
                self._settle(pending[1], _SILENCE)

    def _settle(self, probe: _Probe, answer: Answer) -> None:
        target = self._targets[probe.target]
        if answer.again and answer.state is None and probe.fruitless < _FRUITLESS_TRIES:
            again = probe._replace(fruitless=probe.fruitless + 1)
            heapq.heappush(self._later, (self._clock() + _PAUSE_WHEN_SHORT, again))
            return
        if answer.state == CLOSED:
            self._limits_icmp(target)
        if answer == _SILENCE and self._is_asked_again(target, probe):
            return
        target.answers[probe.port] = answer
        self._unanswered -= 1

    def _is_asked_again(self, target: _Target, probe: _Probe) -> bool:
        """A silent port is asked again, and where its refusal may have been held back, slowly."""
        tries = max(self._request.retries, len(messages_for(probe.port)) - 1)
        if target.sends_icmp:
            tries = max(1, tries)
        if probe.sent >= tries:
            if not target.sends_icmp:
                target.silent.append(probe)
            return False
        self._later_for(target, probe._replace(sent=probe.sent + 1))
        return True

    def _later_for(self, target: _Target, probe: _Probe) -> None:
        at = self._clock()
        if target.sends_icmp:
            at = target.next_at = max(at, target.next_at) + _ICMP_PAUSE
        heapq.heappush(self._later, (at, probe))

    def _limits_icmp(self, target: _Target) -> None:
        """From now on silence may be a refusal that was held back: also of what was silent to the end before."""
        if target.sends_icmp:
            return
        target.sends_icmp = True
        for probe in target.silent:
            if target.answers.pop(probe.port, None) is not None:
                self._unanswered += 1
                self._later_for(target, probe)
        target.silent.clear()

    def _ask_the_neighbours(self) -> None:
        """On the same link a host that is not there is silent everywhere: that is unknown, not open|filtered."""
        silent = [t for t in self._targets if t.answers and all(answer == _SILENCE for answer in t.answers.values())]
        if not silent:
            return
        try:
            missing = unanswered_neighbours()
        except OSError as error:
            message = f"whether the silent targets are there at all could not be asked of the kernel: {error}"
            self.problems.append(Problem("neighbours-not-read", message))
            return
        for target in silent:
            if target.address in missing:
                target.answers = {port: Answer(None, NO_NEIGHBOUR) for port in target.answers}
