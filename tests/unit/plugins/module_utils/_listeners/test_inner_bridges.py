# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which bridges no packet leaves by, on real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from ansible_collections.vigil.ports.tests.unit.readable_tree import readable_tree

_LINKS = """
mount -t sysfs sysfs /sys
ip link set lo up
for bridge in empty veths taps wire routed; do ip link add $bridge type bridge; ip link set $bridge up; done
ip link add veth0 type veth peer name inside && ip link set veth0 master veths
ip tuntap add tap0 mode tap && ip link set tap0 master taps
ip link add wire0 type vxlan id 7 dstport 4789 && ip link set wire0 master wire
ip addr add 192.0.2.1/24 dev routed && ip route add default via 192.0.2.254 dev routed
exec "$@"
"""
_ASK = """
import json
from ansible_collections.vigil.ports.plugins.module_utils._listeners.addresses import inner_bridges
print(json.dumps(sorted(inner_bridges())))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")
def test_a_bridge_with_a_port_to_a_wire_is_no_inner_one() -> None:
    """A bridge without a gateway of its own may still be a door to a network: its address is reached from there."""
    command = ("unshare", "--net", "--mount", "sh", "-euc", _LINKS, "sh", sys.executable, "-c", _ASK)
    where = {**os.environ, "PYTHONPATH": str(readable_tree())}
    done = subprocess.run(command, env=where, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["empty", "taps", "veths"]
