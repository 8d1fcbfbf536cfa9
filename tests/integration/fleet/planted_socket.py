# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A planted socket: listens as it is told, says its banner, closes. Runs on the host's own Python.

usage: planted_socket.py OPTIONS, see --help. What the kernel is asked for is exactly what is given.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import socket
import sys

PR_SET_NAME = 15
ETH_P_ALL = 3  # include/uapi/linux/if_ether.h


def open_socket(options: argparse.Namespace) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.address else socket.AF_INET
    kind = socket.SOCK_DGRAM if options.udp else socket.SOCK_STREAM
    made = socket.socket(family, kind)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(options.v6only))
    if options.device:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, options.device.encode())
    if options.processes > 1:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if not options.udp:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((options.address, options.port))
    if not options.udp:
        made.listen(128)
    return made


def serve(made: socket.socket, udp: bool, banner: bytes) -> None:
    while True:
        if udp:
            made.recv(65536)  # a syslog server: takes what comes, answers nothing
            continue
        peer, _address = made.accept()
        try:
            if banner:
                peer.sendall(banner)
                select.select([peer], [], [], 0.2)
        except OSError as error:
            print(f"peer gone: {error}", file=sys.stderr)
        finally:
            peer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--v6only", action="store_true")
    parser.add_argument("--device", help="SO_BINDTODEVICE")
    parser.add_argument("--processes", type=int, default=1, help="an SO_REUSEPORT group of so many")
    parser.add_argument("--packets", action="store_true", help="a packet socket besides, as a sniffer has; needs root")
    parser.add_argument("--name", type=bytes.fromhex, help="process name, in hex: any bytes")
    parser.add_argument("--banner", type=bytes.fromhex, default=b"", help="in hex")
    parser.add_argument("--rest", nargs="*", help="not looked at: part of the command line for others to read")
    options = parser.parse_args()
    if options.name is not None:
        ctypes.CDLL(None).prctl(PR_SET_NAME, ctypes.c_char_p(options.name), 0, 0, 0)
    for _process in range(options.processes - 1):
        if os.fork() == 0:
            break
    with contextlib.ExitStack() as held:
        if options.packets:
            held.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)))
        serve(open_socket(options), options.udp, options.banner)


if __name__ == "__main__":
    main()
