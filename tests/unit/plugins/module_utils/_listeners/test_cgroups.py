# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

r"""Units and containers by cgroup, in the forms that systemd, Docker, Podman, Kubernetes, LXC and nspawn give them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners import cgroups
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import Place
from hypothesis import given
from hypothesis import strategies as st

ID = "0123456789ab" + "c" * 52
OTHER = "fedcba987654" + "d" * 52


@pytest.mark.parametrize(
    ("path", "unit", "container"),
    [
        ("/", None, None),
        ("/system.slice/nginx.service", "nginx.service", None),
        (r"/system.slice/system-my\x2dapp.slice/my\x2dapp@1.service", r"my\x2dapp@1.service", None),
        ("/system.slice/ssh.socket", "ssh.socket", None),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "user@1000.service", None),
        ("/user.slice/user-0.slice/session-3.scope", "session-3.scope", None),
        ("/system.slice/_weird.service", "weird.service", None),
        ("/init.scope", "init.scope", None),
        (f"/system.slice/docker-{ID}.scope", f"docker-{ID}.scope", "docker/0123456789ab"),
        (f"/docker/{ID}", None, "docker/0123456789ab"),
        (f"/docker/{ID}/docker/{OTHER}", None, "docker/fedcba987654"),
        (f"/docker/{ID}/system.slice/ssh.service", None, "docker/0123456789ab"),
        (f"/machine.slice/libpod-{ID}.scope/container", f"libpod-{ID}.scope", "podman/0123456789ab"),
        (f"/machine.slice/libpod-conmon-{ID}.scope", f"libpod-conmon-{ID}.scope", None),
        (f"/kubepods/burstable/pod1-2/{ID}", None, "kubernetes/0123456789ab"),
        (
            f"/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope",
            f"cri-containerd-{ID}.scope",
            "containerd/0123456789ab",
        ),
        (f"/kubepods.slice/crio-{ID}.scope", f"crio-{ID}.scope", "cri-o/0123456789ab"),
        ("/lxc.payload.web/system.slice/x.service", None, "lxc/web"),
        ("/lxc/web", None, "lxc/web"),
        ("/machine.slice/systemd-nspawn@web.service/payload", "systemd-nspawn@web.service", "nspawn/web"),
    ],
)  # fmt: skip
def test_unit_and_container_of_a_path(path: str, unit: str | None, container: str | None) -> None:
    assert cgroups.place_of(path) == Place(unit, container)
    assert cgroups.place_of_membership(f"0::{path}\n".encode()) == Place(unit, container)


def test_version_1_has_the_unit_in_systemds_hierarchy_and_the_container_in_any() -> None:
    content = f"9:memory:/docker/{ID}\n3:cpu,cpuacct:/\n1:name=systemd:/system.slice/docker.service\n0::/\n"
    assert cgroups.place_of_membership(content.encode()) == Place("docker.service", "docker/0123456789ab")


@given(st.binary(max_size=200))
def test_hostile_bytes_have_a_place_or_none(content: bytes) -> None:
    cgroups.place_of_membership(content)
    cgroups.unified_mount(content)


def test_the_mount_of_version_2_is_found_wherever_it_is() -> None:
    mountinfo = (
        b"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw\n"
        rb"41 31 0:38 / /sys/fs/a\040b rw,relatime shared:4 - cgroup2 cgroup2 rw"
    )
    assert cgroups.unified_mount(mountinfo) == "/sys/fs/a b"
    assert cgroups.unified_mount(b"") is None


def test_a_cgroup_id_is_the_inode_of_its_directory(tmp_path: Path) -> None:
    service = tmp_path / "system.slice" / "a.service"
    service.mkdir(parents=True)
    root, inode = os.stat(tmp_path).st_ino, os.stat(service).st_ino
    assert cgroups.cgroups_of_ids(str(tmp_path), [root, inode, 1]) == {
        root: (str(tmp_path), Place(None, None)),
        inode: (str(service), Place("a.service", None)),
    }


def test_a_socket_made_in_a_real_cgroup_names_its_unit(experiment: object) -> None:
    """Skipped where no cgroup v2 can be made."""
    with open("/proc/self/mountinfo", "rb") as file:
        mount = cgroups.unified_mount(file.read())
    if mount is None:
        pytest.skip("no cgroup v2 is mounted")
    unit = f"vigil-test-{os.getpid()}.service"
    path = f"{mount}/{unit}"
    try:
        os.mkdir(path)
    except OSError as error:
        pytest.skip(f"no cgroup can be made: {error}")
    try:
        row = experiment(f"""
inside = {path!r}
def make():
    open(inside + "/cgroup.procs", "w").write("0")
    globals().update(a=listen("127.0.0.1", 8001))
def make_for_me():
    make()
    socket.send_fds(theirs, [b"x"], [a.fileno()])
mine, theirs = socket.socketpair(socket.AF_UNIX)
os.waitpid(child(make_for_me, stay=False), 0)  # it holds the socket until it has ended
taken = socket.socket(fileno=socket.recv_fds(mine, 1, 1)[1][0])
result = row(observe(Request(), Host()), 8001)
tell(result)
""")  # type: ignore[operator]
    finally:
        _remove(path)
    assert row["unit"] == unit, "the cgroup that made the socket, not that of the process that holds it"
    assert [owner["unit"] for owner in row["owners"]] == [None]


def _remove(path: str) -> None:
    for _attempt in range(50):
        try:
            os.rmdir(path)
        except OSError:
            os.sched_yield()
        else:
            return
    os.rmdir(path)
