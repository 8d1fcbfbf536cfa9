# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How namespaces get their names, and what happens with those that cannot be entered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners import namespaces
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import Namespace
from ansible_collections.vigil.ports.plugins.module_utils._listeners.namespaces import NamespaceError

ID = "0123456789ab" + "c" * 52


class Proc:
    """A /proc whose namespaces are files: what counts is their inode."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "kept").mkdir()
        self.mounts: list[str] = []
        self.process("self", "own")

    def process(self, pid: str, namespace: str, cgroup: str = "/") -> int:
        kept = self.root / "kept" / namespace
        kept.touch()
        folder = self.root / pid / "ns"
        folder.mkdir(parents=True)
        os.link(kept, folder / "net")
        (self.root / pid / "cgroup").write_text(f"0::{cgroup}\n")
        self.write_mounts()
        return kept.stat().st_ino

    def mount(self, inode: int, path: str) -> None:
        self.mounts.append(f"43 42 0:4 net:[{inode}] {path} rw shared:2 - nsfs nsfs rw")
        self.write_mounts()

    def write_mounts(self) -> None:
        (self.root / "self" / "mountinfo").write_text("\n".join(self.mounts))


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


def found(proc: Proc) -> dict[str, int]:
    return {each.name: each.inode for each in namespaces.find_namespaces(str(proc.root)).namespaces}


def test_names_by_mount_by_container_and_by_number(proc: Proc) -> None:
    own = proc.process("10", "own")
    blue = proc.process("11", "blue")
    web = proc.process("12", "web", f"/docker/{ID}")
    assert proc.process("13", "web", f"/docker/{ID}") == web
    other = proc.process("14", "other")
    proc.mount(blue, "/run/netns/blue")
    proc.mount(4711, "/run/docker/netns/0f1e2d")
    assert found(proc) == {
        "host": own, "container/0123456789ab": web, "net:[4711]": 4711, f"net:[{other}]": other, "netns/blue": blue,
    }  # fmt: skip


def test_two_namespaces_of_one_container_do_not_share_a_name(proc: Proc) -> None:
    first = proc.process("12", "web", f"/docker/{ID}")
    second = proc.process("13", "nested", f"/docker/{ID}")
    assert found(proc)["container/0123456789ab"] == first
    assert found(proc)[f"net:[{second}]"] == second


def test_a_process_that_has_ended_is_nothing(proc: Proc) -> None:
    (proc.root / "99").mkdir()
    assert set(found(proc)) == {"host"}
    assert namespaces.find_namespaces(str(proc.root)).unreadable == 0


def test_a_namespace_that_became_another_is_not_entered(tmp_path: Path) -> None:
    file = tmp_path / "net"
    file.touch()
    with pytest.raises(NamespaceError, match="another namespace by now"):
        namespaces.inside(Namespace("x", file.stat().st_ino + 1, (str(file),)), lambda: pytest.fail("entered"))


def test_each_path_that_failed_is_told(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    gone = Namespace("x", plain.stat().st_ino, (str(tmp_path / "gone"), str(plain)))
    with pytest.raises(NamespaceError, match=r"gone: No such file.*plain: (Invalid argument|Operation not permitted)"):
        namespaces.inside(gone, lambda: None)


def test_our_own_namespace_needs_no_thread() -> None:
    assert namespaces.inside(Namespace("host", 0, ()), os.getpid) == os.getpid()
