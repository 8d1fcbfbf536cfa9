# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How namespaces get their names, and what happens with those that cannot be entered."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

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


def names(proc: Proc) -> set[str]:
    found = namespaces.find_namespaces(str(proc.root), str(proc.root / "files")).namespaces
    return {each.name for each in found} - {"host"}


def keep(proc: Proc, path: str, content: object) -> None:
    file = proc.root / "files" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


def test_a_container_of_docker_has_the_name_that_it_was_given(proc: Proc) -> None:
    proc.process("12", "web", f"/system.slice/docker-{ID}.scope")
    keep(proc, f"var/lib/docker/containers/{ID}/config.v2.json", {"ID": ID, "Name": "/web", "Image": "sha256:1"})
    assert names(proc) == {"container/web"}


def test_a_container_of_podman_has_the_name_that_it_was_given(proc: Proc) -> None:
    proc.process("12", "web", f"/machine.slice/libpod-{ID}.scope/container")
    rows = [{"id": "f" * 64, "names": ["other"]}, {"id": ID, "names": ["web"]}]
    keep(proc, "var/lib/containers/storage/overlay-containers/containers.json", rows)
    assert names(proc) == {"container/web"}


def test_a_container_of_a_user_is_looked_for_below_the_home_of_that_user(
    proc: Proc, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = SimpleNamespace(pw_dir="/home/carla")
    monkeypatch.setattr("pwd.getpwuid", {1000: home}.__getitem__)
    proc.process("12", "web", f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope")
    keep(proc, "var/lib/containers/storage/overlay-containers/containers.json", [{"id": ID, "names": ["root-has-it"]}])
    keep(
        proc, "home/carla/.local/share/containers/storage/vfs-containers/containers.json", [{"id": ID, "names": ["w"]}]
    )
    assert names(proc) == {"container/w"}
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    assert names(proc) == {"container/0123456789ab"}


@pytest.mark.parametrize(
    ("bundle", "keys"),
    [
        (
            f"run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json",
            ("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name"),
        ),
        (
            f"run/containers/storage/overlay-containers/{ID}/userdata/config.json",
            ("io.kubernetes.pod.namespace", "io.kubernetes.pod.name"),
        ),
    ],
    ids=["containerd", "cri-o"],
)
def test_a_pod_has_the_name_that_kubernetes_gave_it(proc: Proc, bundle: str, keys: tuple[str, str]) -> None:
    proc.process("12", "pod", f"/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope")
    keep(proc, bundle, {"annotations": dict(zip(keys, ("shop", "web-0"), strict=True))})
    assert names(proc) == {"container/shop/web-0"}


@pytest.mark.parametrize(
    "content",
    [
        "{", "[" * 100_000, "[]", "{}", '{"Name": 3}', '{"Name": "/../web"}', '{"Name": "/a b"}', '{"Name": "/a\\nb"}',
        '{"Name": "/netns/x"}', '{"Name": "/' + "a" * 300 + '"}', "\udc80",
    ],
)  # fmt: skip
def test_a_file_that_says_no_name_leaves_the_id(proc: Proc, content: str) -> None:
    proc.process("12", "web", f"/docker/{ID}")
    keep(proc, f"var/lib/docker/containers/{ID}/config.v2.json", "{}")
    path = proc.root / "files" / f"var/lib/docker/containers/{ID}/config.v2.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert names(proc) == {"container/0123456789ab"}


def test_two_containers_of_one_name_stay_apart(proc: Proc) -> None:
    other = "f" * 64
    for pid, each in (("12", ID), ("13", other)):
        proc.process(pid, f"ns{pid}", f"/docker/{each}")
        keep(proc, f"var/lib/docker/containers/{each}/config.v2.json", {"Name": "/web"})
    assert names(proc) == {"container/web", f"container/{other[:12]}"}


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
