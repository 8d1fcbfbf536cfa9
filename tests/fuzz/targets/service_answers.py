# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service says, whoever it is: it is recognised or not, and what is taken of it prints and is short."""

from __future__ import annotations

from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition import answers
from ansible_collections.vigil.ports.plugins.module_utils._scan.recognition.datagrams import (
    MESSAGES,
    messages_for,
    recognise_datagram,
)

READERS = (
    answers.from_greeting,
    answers.from_http,
    answers.from_redis,
    answers.from_postgres,
    answers.from_dns_over_tcp,
    answers.from_dns,
)
LONGEST = 1200
ELSEWHERE = 50000


def target(data: bytes) -> None:
    told = [reader(data) for reader in READERS] + [recognise_datagram(port, data) for port in (*MESSAGES, ELSEWHERE)]
    for found in filter(None, told):
        service = found.service
        assert service.method == "probed"
        assert service.name
        texts = (service.name, service.product or "", service.version or "", service.extra or "", *service.cpes)
        assert all(text.isprintable() and len(text) < LONGEST for text in texts)
        assert not found.whole or (service.product and service.version)
    for port in (*MESSAGES, ELSEWHERE):
        if any(data == message.sent for message in messages_for(port)):
            assert recognise_datagram(port, data) is None
