# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real sockets in real namespaces: each experiment is a Python process in namespaces of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.vigil.ports.tests.unit.readable_tree import readable_tree

PREAMBLE = """
import ctypes, errno, json, os, re, signal, socket, struct, subprocess, sys, time
import concurrent.futures.thread  # loaded late, when an experiment may have given up the right to read the checkout
import ansible_collections.vigil.ports.plugins.module_utils._listeners.command_line
import ansible_collections.vigil.ports.plugins.module_utils._listeners.namespaces
import ansible_collections.vigil.ports.plugins.module_utils._listeners.owners as owners
from ansible_collections.vigil.ports.plugins.module_utils._listeners.observe import Host, Request, observe

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
libc = ctypes.CDLL(None, use_errno=True)
SOL_IPV6, IPV6_V6ONLY = 41, 26

def listen(address, port=0, family=None, proto=0, **options):
    family = family or (socket.AF_INET6 if ":" in address else socket.AF_INET)
    made = socket.socket(family, socket.SOCK_STREAM, proto)
    if "v6only" in options:
        made.setsockopt(SOL_IPV6, IPV6_V6ONLY, options["v6only"])
    if options.get("reuseport"):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if "device" in options:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, options["device"])
    made.bind((address, port))
    made.listen()
    return made

def datagram(address, port=0, proto=0):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM, proto)
    made.bind((address, port))
    return made

def child(work=lambda: None, stay=True):
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        work()
        os.write(told, b"x")
        if stay:
            time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    return pid

def row(result, port, address=None):
    found = [each for each in result["listeners"] if each["port"] == port and address in (None, each["address"])]
    assert len(found) == 1, found
    return found[0]

def tell(value):
    print(json.dumps(value))
"""


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def experiment() -> Callable[..., Any]:
    """Runs code in a new network namespace (and a new pid namespace) and gives back what it tells."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes network namespaces")
    unshare = _tool("unshare")
    _tool("ip")

    def run(code: str, *options: str) -> Any:
        flags = options or ("--net", "--pid", "--fork", "--kill-child", "--mount-proc")
        done = subprocess.run(
            [unshare, *flags, sys.executable, "-W", "error", "-c", PREAMBLE + code],
            env={**os.environ, "PYTHONPATH": str(readable_tree())},
            capture_output=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout.splitlines()[-1])

    return run
