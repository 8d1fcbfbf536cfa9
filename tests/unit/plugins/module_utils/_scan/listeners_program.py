# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listens in a namespace of a test until it is ended: ports with a hostile banner, a mute one."""

from __future__ import annotations

import os
import socket
import sys
import threading

BANNER = b"220 \x1b[31m]]>&<\x00\xff hostile\xe2\x80\xae ready\r\n"


def serve(family: int, port: int, banner: bytes) -> None:
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    server.listen(64)
    os.write(1, b"%d\n" % port)  # one write: several threads tell
    while True:
        try:
            client, _peer = server.accept()
            client.sendall(banner)
            client.close()
        except OSError:
            continue  # reset by a scanner


for arguments in (
    (socket.AF_INET, 21, BANNER),
    (socket.AF_INET, 443, b"HTTP/1.0 200 OK\r\n\r\n"),
    (socket.AF_INET6, 8443, b"HTTP/1.0 200 OK\r\n\r\n"),
):
    threading.Thread(target=serve, args=arguments, daemon=True).start()
sys.stdin.read()
