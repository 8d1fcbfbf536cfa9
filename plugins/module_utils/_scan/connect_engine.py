# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The built-in engine: non-blocking TCP connects in one event loop, standard library only.

Each connect is one SYN, because it is given up just before Linux would send the SYN again: so the
rate and the number of packets are what they are said to be, and a retry is a fresh connect.

This module is private to the collection.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
import time
from array import array
from collections import deque
from typing import Callable, Iterator, Mapping, NamedTuple

from ansible_collections.vigil.ports.plugins.module_utils._scan.connect_answers import (
    IP_RECVERR,
    IPV6_RECVERR,
    NO_NEIGHBOUR,
    SILENCE,
    Answer,
    at_end,
    not_begun,
    refused_here,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.interruption import Stop
from ansible_collections.vigil.ports.plugins.module_utils._scan.neighbours import unanswered_neighbours
from ansible_collections.vigil.ports.plugins.module_utils._scan.observations import (
    CLOSED,
    OPEN,
    SILENT,
    Endpoint,
    Outcome,
    Problem,
    ScanRequest,
    Seen,
    StateRow,
)
from ansible_collections.vigil.ports.plugins.module_utils._scan.open_files import sockets_to_use
from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortSet

#: Linux sends a SYN again after one second (TCP_TIMEOUT_INIT).
WAIT = 0.95
#: Tries that told nothing about the target (self-connect, no free sockets), before it stays unknown.
_FRUITLESS_TRIES = 20
_PAUSE_WHEN_SHORT = 0.05
_KIND = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
_IDLE = 0.2  # seconds between two looks at Stop
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: no TIME_WAIT for each open port


class _Probe(NamedTuple):
    target: int
    port: int
    sent: int  # SYNs before this one that were not answered
    fruitless: int


class _Target:
    """What is known of one address so far; ports are kept as two bytes each."""

    def __init__(self, address: str) -> None:
        self.address = address
        is_ipv6 = ":" in address
        self.family = int(socket.AF_INET6 if is_ipv6 else socket.AF_INET)
        #: Keeps the ICMP message that ended a connect.
        self.keep_icmp = (socket.IPPROTO_IPV6, IPV6_RECVERR, 1) if is_ipv6 else (socket.IPPROTO_IP, IP_RECVERR, 1)
        self.answers: dict[tuple[str, str], array[int]] = {}
        self.reason: str | None = None
        self.given_up = False
        self.deadline: float | None = None

    def learn(self, port: int, answer: Answer) -> None:
        if answer.state is None:
            self.reason = answer.reason
        else:
            key = (answer.state, answer.reason)
            if key not in self.answers:
                self.answers[key] = array("H")
            self.answers[key].append(port)

    def silent(self) -> bool:
        return list(self.answers) == [(SILENCE.state, SILENT)]

    def seen(self) -> Seen:
        rows = [
            StateRow("tcp", state, reason, PortSet.of(ports)) for (state, reason), ports in sorted(self.answers.items())
        ]
        endpoints = [Endpoint("tcp", port, OPEN, row.reason) for row in rows if row.state == OPEN for port in row.ports]
        return Seen(tuple(rows), tuple(endpoints), self.reason)


class ConnectScan:
    """One scan. Ports are taken in rising order, each of them on all targets before the next."""

    def __init__(
        self,
        request: ScanRequest,
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
        only: Mapping[str, PortSet] | None = None,
    ) -> None:
        """``only``: the ports to ask of each address, instead of the same ports of all."""
        self._request = request
        self._only = only
        self._stop = stop
        self._clock = clock
        self._ports = request.tcp | request.canaries
        self._targets = [_Target(address) for address in request.addresses]
        self._again: deque[_Probe] = deque()
        self._pending: dict[int, tuple[socket.SocketType, _Probe]] = {}
        self._spare: dict[int, socket.SocketType] = {}  # by family: refused, and as good as new
        self._expiry: deque[tuple[float, int, socket.SocketType]] = deque()
        self._poll = select.epoll()
        self._most = sockets_to_use()
        self._sent = 0
        self._scanned = len(self._targets)
        self._paused_until = 0.0
        self._problems: list[Problem] = []

    def run(self) -> Outcome:
        """Scan until all is known or ``stop`` says so; never raises for what the network does."""
        try:
            self._drain(self._probes())
            self._doubt_the_silence()
            self._ask_the_neighbours()
        finally:
            for sock in (*(sock for sock, _probe in self._pending.values()), *self._spare.values()):
                sock.close()
            self._poll.close()
        return self._outcome()

    def _probes(self) -> Iterator[_Probe]:
        if self._only is None:
            for port in self._ports:
                for index in range(len(self._targets)):
                    yield _Probe(index, port, 0, 0)
        else:
            asked = [self._only[target.address] for target in self._targets]
            for port, index in sorted((port, index) for index, ports in enumerate(asked) for port in ports):
                yield _Probe(index, port, 0, 0)

    def _drain(self, fresh: Iterator[_Probe]) -> None:
        """Send at the given rate what ``fresh`` and the retries hold, until every answer is in."""
        started, sent_before = self._clock(), self._sent
        upcoming = next(fresh, None)
        while not self._stop.why():
            now = self._clock()
            rate = self._request.pace(self._scanned)
            burst = max(1, rate // 100)
            due = int((now - started) * rate) + 1 - (self._sent - sent_before)
            if due > burst:  # time spent waiting is not saved up for a burst
                started, sent_before, due = now - burst / rate, self._sent, burst
            while due > 0 and len(self._pending) < self._most and now >= self._paused_until:
                if upcoming is not None:
                    probe, upcoming = upcoming, next(fresh, None)
                elif self._again:
                    probe = self._again.popleft()
                else:
                    break
                due -= self._send(probe, now)
            if upcoming is None and not self._again and not self._pending:
                return
            self._collect(self._pause(due, rate, upcoming is not None))
            self._expire()

    def _pause(self, due: int, rate: int, more: bool) -> float:
        now = self._clock()
        pause = _IDLE
        if self._expiry:
            pause = min(pause, self._expiry[0][0] - now)
        if (more or self._again) and len(self._pending) < self._most:
            pause = min(pause, self._paused_until - now if now < self._paused_until else max(0, 1 - due) / rate)
        return self._stop.wait_at_most(max(0.0, pause))

    def _send(self, probe: _Probe, now: float) -> int:
        """Begin one connect; gives the number of packets that this cost."""
        target = self._targets[probe.target]
        if target.given_up or (self._request.host_timeout and self._late(target, now)):
            return 0
        where = (target.address, probe.port)
        sock = self._spare.pop(target.family, None)
        if sock is None:
            try:
                sock = socket.SocketType(target.family, _KIND)
            except OSError as error:
                self._settle(probe, not_begun(error.errno or 0, target.address), now)
                return 0
            sock.setsockopt(*target.keep_icmp)
        error_number = sock.connect_ex(where)
        if error_number not in (0, errno.EINPROGRESS):
            sock.close()
            self._settle(probe, not_begun(error_number, target.address), now)
            return 1
        self._sent += 1
        # A port of this machine has answered by now: that saves the event loop for most of them.
        error_number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error_number:
            answer = at_end(sock, error_number, target.address)
            # Linux resets a socket that was refused when it is asked to connect again, and sends nothing
            # (__inet_stream_connect: ECONNABORTED): that costs half of closing it and making another one.
            if answer.state == CLOSED and sock.connect_ex(where) == errno.ECONNABORTED:
                self._spare[target.family] = sock
            else:
                sock.close()
            self._settle(probe, answer, now)
            return 1
        descriptor = sock.fileno()
        self._pending[descriptor] = (sock, probe)
        self._expiry.append((now + WAIT, descriptor, sock))
        self._poll.register(descriptor, select.EPOLLOUT)
        return 1

    def _late(self, target: _Target, now: float) -> bool:
        if target.deadline is None:
            target.deadline = now + self._request.host_timeout
        elif now >= target.deadline:
            target.given_up = True
            self._scanned = max(1, self._scanned - 1)
            target.reason = f"the time-out of {self._request.host_timeout} s for this target was over"
        return target.given_up

    def _collect(self, pause: float) -> None:
        for descriptor, _events in self._poll.poll(pause, 4096):
            sock, probe = self._pending.pop(descriptor)
            error_number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            answer = at_end(sock, error_number, self._targets[probe.target].address)
            if answer.state == OPEN:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            sock.close()
            self._settle(probe, answer, self._clock())

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
                self._settle(pending[1], SILENCE, now)

    def _settle(self, probe: _Probe, answer: Answer, now: float) -> None:
        if answer.again and answer.state is None and probe.fruitless < _FRUITLESS_TRIES:
            self._again.append(probe._replace(fruitless=probe.fruitless + 1))
            self._paused_until = now + _PAUSE_WHEN_SHORT
        elif answer.again and answer.state is not None and probe.sent < self._request.retries:
            self._again.append(probe._replace(sent=probe.sent + 1))
        else:
            self._targets[probe.target].learn(probe.port, answer)

    def _doubt_the_silence(self) -> None:
        """Silence counts only where this machine sends at all."""
        for target in self._targets:
            silent = target.answers.get((str(SILENCE.state), SILENT))
            why_not = refused_here(target.address, silent[0]) if silent else None
            if why_not:
                del target.answers[str(SILENCE.state), SILENT]
                target.reason = target.reason or why_not

    def _ask_the_neighbours(self) -> None:
        """A host that is not there is silent on every port too: what looked filtered is then unknown.

        Only on the same link can the two be told apart; behind a router silence stays silence.
        """
        silent = [target for target in self._targets if target.silent()]
        if not silent:
            return
        try:
            missing = unanswered_neighbours()
        except OSError as error:
            message = f"whether the silent targets are there at all could not be asked of the kernel: {error}"
            self._problems.append(Problem("neighbours-not-read", message))
            return
        for target in silent:
            if target.address in missing:
                target.answers.clear()
                target.reason = NO_NEIGHBOUR

    def _outcome(self) -> Outcome:
        why = self._stop.why()
        unfinished = bool(why) and (bool(self._pending) or bool(self._again) or self._unsent())
        seen, problems = {}, list(self._problems)
        for target in self._targets:
            if unfinished and target.reason is None:
                target.reason = why
            seen[target.address] = target.seen()
        if unfinished:
            problems.append(Problem("scan-stopped", f"{why}: what was seen by then is kept"))
        return Outcome(
            engine="connect",
            engine_version=f"Python {sys.version.split()[0]}",
            technique="connect",
            privileged=False,
            seen=seen,
            tcp=self._request.tcp,
            udp=self._request.udp,
            rate=self._request.rate,
            retries=self._request.retries,
            target_rate=self._request.target_rate,
            canaries=self._request.canaries,
            sent=self._sent,
            problems=tuple(problems),
            whole=not unfinished,
        )

    def _unsent(self) -> bool:
        return any(
            sum(map(len, target.answers.values())) < len(self._only[target.address] if self._only else self._ports)
            for target in self._targets
            if target.reason is None
        )
