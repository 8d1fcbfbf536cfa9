# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was planted in a namespace of its own is found: all of it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Experiment = Callable[..., Any]


def test_dual_stack_and_v6only_are_told_apart(experiment: Experiment) -> None:
    told = experiment("""
a, b = listen("::", 8001, v6only=0), listen("::", 8002, v6only=1)
result = observe(Request(), Host())
tell([row(result, 8001), row(result, 8002)])
""")
    assert [row["v6only"] for row in told] == [False, True]
    assert {row["family"] for row in told} == {"ipv6"}


def test_device_bound_socket_keeps_its_device(experiment: Experiment) -> None:
    told = experiment("""
a, b = listen("0.0.0.0", 8001, device=b"lo"), listen("0.0.0.0", 8002)
result = observe(Request(), Host())
tell([row(result, 8001)["interface"], row(result, 8002)["interface"]])
""")
    assert told == ["lo", None]


def test_the_same_port_on_a_device_and_on_none_are_two_listeners(experiment: Experiment) -> None:
    told = experiment("""
a, b = listen("0.0.0.0", 8001, device=b"lo", reuseport=True), listen("0.0.0.0", 8001, reuseport=True)
tell([(each["interface"], each["sockets"]) for each in observe(Request(), Host())["listeners"]])
""")
    assert told == [[None, 1], ["lo", 1]]


def test_reuseport_group_is_one_listener_with_all_owners(experiment: Experiment) -> None:
    told = experiment("""
pids = [child(lambda: globals().update(s=listen("127.0.0.1", 8001, reuseport=True))) for _ in range(3)]
tell([pids, row(observe(Request(), Host()), 8001)])
""")
    pids, row = told
    assert row["sockets"] == 3
    assert [owner["pid"] for owner in row["owners"]] == sorted(pids)
    assert row["owners_state"] == "known"


def test_prefork_names_parent_and_workers_of_one_socket(experiment: Experiment) -> None:
    pids, row = experiment("""
a = listen("127.0.0.1", 8001)
pids = [os.getpid(), child(), child()]
tell([pids, row(observe(Request(), Host()), 8001)])
""")
    assert row["sockets"] == 1
    assert [owner["pid"] for owner in row["owners"]] == sorted(pids)


def test_mptcp_listener_is_counted_once_and_has_its_owner(experiment: Experiment) -> None:
    told = experiment("""
try:
    a = listen("127.0.0.1", 8001, proto=262)
except OSError:
    tell(None)
else:
    tell([os.getpid(), observe(Request(), Host())["listeners"]])
""")
    if told is None:
        pytest.skip("this kernel has no MPTCP")
    pid, rows = told
    assert [(row["protocol"], row["sockets"]) for row in rows] == [("tcp", 1)]
    assert [owner["pid"] for owner in rows[0]["owners"]] == [pid]


def test_connected_udp_is_a_client_and_unconnected_a_listener(experiment: Experiment) -> None:
    rows = experiment("""
a = datagram("127.0.0.1", 8001)
b = datagram("127.0.0.1", 8002); b.connect(("127.0.0.1", 8001))
tell(observe(Request(), Host())["listeners"])
""")
    assert [(row["protocol"], row["port"]) for row in rows] == [("udp", 8001)]


def test_wildcard_udp_in_the_local_port_range_is_marked_ephemeral_and_kept(experiment: Experiment) -> None:
    told = experiment("""
open("/proc/sys/net/ipv4/ip_local_port_range", "w").write("40000 40100")
made = [datagram("0.0.0.0", 40050), datagram("::", 40051), datagram("127.0.0.1", 40052), datagram("0.0.0.0", 39999)]
result = observe(Request(), Host())
tell([row(result, port)["ephemeral"] for port in (40050, 40051, 40052, 39999)])
""")
    assert told == [True, True, False, False]


def test_udplite_and_mapped_addresses(experiment: Experiment) -> None:
    rows = experiment("""
try:
    a = datagram("127.0.0.1", 8001, proto=136)
except OSError:
    a = None
b = listen("::ffff:127.0.0.1", 8002)
tell(observe(Request(), Host())["listeners"])
""")
    found = {(row["protocol"], row["family"], row["address"], row["port"], row["v6only"]) for row in rows}
    assert ("tcp", "ipv4", "127.0.0.1", 8002, None) in found
    assert found - {("tcp", "ipv4", "127.0.0.1", 8002, None)} <= {("udplite", "ipv4", "127.0.0.1", 8001, None)}


def test_a_host_with_ipv6_disabled_by_sysctl_is_still_looked_at(experiment: Experiment) -> None:
    """The sysctl takes the addresses away and leaves the tables: the kernel still answers for IPv6."""
    sources, addresses = experiment("""
open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w").write("1")
a = listen("127.0.0.1", 8001)
result = observe(Request(), Host())
tell([result["coverage"]["sources"], result["addresses"]])
""")
    raw = dict.fromkeys(("packet", "raw_ipv4", "raw_ipv6"), "proc")
    assert sources == {**dict.fromkeys(("tcp_ipv4", "tcp_ipv6", "udp_ipv4", "udp_ipv6"), "netlink"), **raw}
    assert addresses == [{"interface": "lo", "address": "127.0.0.1", "prefix": 8, "family": "ipv4", "inner": False}]


def test_an_unprivileged_run_keeps_every_row_and_says_what_is_missing(experiment: Experiment) -> None:
    told = experiment("""
a = listen("127.0.0.1", 8001)
pid = os.fork()
if pid == 0:
    a.close()
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    libc.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, which setuid has cleared
    b = listen("127.0.0.1", 8002)
    tell(observe(Request(namespaces="all"), Host()))
    sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
""")
    others, own = told["listeners"]
    assert (others["port"], others["owners"], others["owners_state"], others["uid"]) == (8001, [], "unknown", 0)
    assert (own["port"], own["owners_state"], own["uid"]) == (8002, "known", 65534)
    coverage = told["coverage"]
    assert coverage["privileged"] is False
    assert coverage["owners"] == {"asked": "all", "complete": False, "unknown": 1}
    assert "unknown" in [missed["namespace"] for missed in coverage["namespaces"]["missed"]]
    assert "processes-denied" in [problem["code"] for problem in coverage["problems"]]


DENY_NETLINK = """
class Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]

class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]

number = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
steps = (Filter * 6)(
    Filter(0x20, 0, 0, 0),  # load the system call's number
    Filter(0x15, 0, 3, number),  # is it socket()?
    Filter(0x20, 0, 0, 16),  # load its first argument
    Filter(0x15, 0, 1, 16),  # is that AF_NETLINK?
    Filter(0x06, 0, 0, 0x00050000 | errno.EPERM),
    Filter(0x06, 0, 0, 0x7FFF0000),
)
def deny_netlink():
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.byref(Program(6, steps)), 0, 0) == 0, os.strerror(ctypes.get_errno())
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)
    except PermissionError:
        return
    raise SystemExit("the filter does not work")
"""


def test_where_netlink_is_refused_proc_is_read_and_the_coverage_says_so(experiment: Experiment) -> None:
    told = experiment(
        DENY_NETLINK
        + """
made = [listen("::", 8001, v6only=1), listen("127.0.0.1", 8002, device=b"lo"), datagram("127.0.0.1", 8003)]
connected = datagram("127.0.0.1", 8004); connected.connect(("127.0.0.1", 8003))
deny_netlink()
tell([os.getpid(), observe(Request(), Host())])
"""
    )
    pid, result = told
    rows = [
        (row["protocol"], row["family"], row["address"], row["port"], row["v6only"], row["interface"])
        for row in result["listeners"]
    ]
    assert rows == [
        ("tcp", "ipv6", "::", 8001, None, None),
        ("tcp", "ipv4", "127.0.0.1", 8002, None, None),
        ("udp", "ipv4", "127.0.0.1", 8003, None, None),
    ]
    assert all([owner["pid"] for owner in row["owners"]] == [pid] for row in result["listeners"])
    assert set(result["coverage"]["sources"].values()) == {"proc"}
    codes = [problem["code"] for problem in result["coverage"]["problems"]]
    assert codes.count("netlink-refused") == 4
    assert "addresses-unknown" in codes


def test_other_namespaces_are_listed_under_their_own_name_and_ours_is_left_as_it_was(experiment: Experiment) -> None:
    told = experiment(
        """
os.makedirs("/run/netns", exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
subprocess.run(["ip", "netns", "add", "blue"], check=True)
def elsewhere():
    assert libc.unshare(0x40000000) == 0
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
    globals().update(kept=listen("0.0.0.0", 8003))
a = listen("127.0.0.1", 8001)
def in_blue():
    f = os.open("/run/netns/blue", os.O_RDONLY)
    assert libc.setns(f, 0x40000000) == 0
    globals().update(kept=listen("0.0.0.0", 8002))
one, two = child(in_blue), child(elsewhere)
before = os.stat("/proc/self/ns/net").st_ino
nameless = os.stat(f"/proc/{two}/ns/net").st_ino
result = observe(Request(namespaces="all"), Host())
host = observe(Request(), Host())
assert before == os.stat("/proc/thread-self/ns/net").st_ino
tell([one, two, nameless, result, host])
""",
        "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount",
    )  # fmt: skip
    one, two, nameless, result, host = told
    mine = {f"net:[{nameless}]": (8003, [two]), "netns/blue": (8002, [one])}
    found = {row["namespace"]: (row["port"], [owner["pid"] for owner in row["owners"]]) for row in result["listeners"]}
    assert found.pop("host")[0] == 8001
    assert found == mine
    assert set(mine) <= set(result["coverage"]["namespaces"]["seen"])
    assert [row["namespace"] for row in host["listeners"]] == ["host"]
    reachable = [f"net:[{nameless}]"]  # the other one has no address of its own
    asked = {"asked": "host", "seen": ["host"], "missed": [], "left_out": reachable}
    assert host["coverage"]["namespaces"] == asked


def test_a_named_namespace_without_any_process_is_found(experiment: Experiment) -> None:
    told = experiment(
        """
os.makedirs("/run/netns", exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
subprocess.run(["ip", "netns", "add", "empty"], check=True)
tell(observe(Request(namespaces="all"), Host())["coverage"]["namespaces"]["seen"])
""",
        "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount",
    )  # fmt: skip
    assert "netns/empty" in told


WITNESS = r"""
def witness():
    # iproute2 is another program with other code: what it lists is compared row by row.
    rows = []
    for line in subprocess.run(["ss", "-Htulnp"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines():
        protocol, _state, _r, _s, local, _peer, *users = line.split(None, 6)
        address, _, port = local.rpartition(":")
        address, _, device = address.partition("%")
        device = device.rstrip("]") or None
        dual = address == "*"
        address = "::" if dual else address.strip("[]")
        pids = sorted({int(pid) for pid in re.findall(r"pid=(\d+)", " ".join(users))})
        rows.append([protocol, address, int(port), device, dual, pids])
    return sorted(rows, key=str)

def as_witness(result):
    return sorted(([row["protocol"], row["address"], row["port"], row["interface"], row["v6only"] is False and
                    row["address"] == "::", [owner["pid"] for owner in row["owners"]]]
                   for row in result["listeners"]), key=str)
"""


def test_a_host_full_of_sockets_agrees_with_ss_row_by_row(experiment: Experiment) -> None:
    ours, theirs, count = experiment(
        WITNESS
        + """
made = [listen("0.0.0.0", 9000 + n) for n in range(20)]
made += [listen("::", 9100 + n, v6only=n % 2) for n in range(20)]
made += [listen(f"127.0.0.{n + 1}", 9200) for n in range(20)]
made += [datagram("0.0.0.0", 9300 + n) for n in range(20)] + [datagram("::1", 9400 + n) for n in range(20)]
made += [listen("127.0.0.1", 9500, device=b"lo"), listen("::1", 9501)]
clients = [socket.create_connection(("127.0.0.1", 9000)) for _ in range(100)]
workers = [child() for _ in range(3)]
result = observe(Request(), Host())
tell([as_witness(result), witness(), len(result["listeners"])])
"""
    )
    assert ours == theirs
    assert count == 102


def test_processes_that_come_and_go_do_not_disturb_the_listing(experiment: Experiment) -> None:
    told = experiment("""
made = [listen("127.0.0.1", 8000 + n) for n in range(20)]
keeper = os.getpid()
stop = time.time() + 4
def churn():
    while time.time() < stop:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
for _ in range(2):
    if os.fork() == 0:
        for each in made:
            each.close()
        churn()
        os._exit(0)
bad, looks = [], 0
while time.time() < stop - 0.5:
    looks += 1
    result = observe(Request(), Host())
    rows = result["listeners"]
    kept = all(keeper in [owner["pid"] for owner in each["owners"]] for each in rows)
    if len(rows) != 20 or not kept or result["coverage"]["problems"]:
        bad.append(result["coverage"])
tell([bad, looks])
""")
    assert told[0] == []
    assert told[1] > 20
