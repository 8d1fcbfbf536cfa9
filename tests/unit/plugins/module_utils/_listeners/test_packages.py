# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose package an executable is, by each manager, with one question."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners import packages, programs
from ansible_collections.vigil.ports.plugins.module_utils._listeners.model import Package
from ansible_collections.vigil.ports.plugins.module_utils._listeners.programs import Answer, ProgramError

NOWHERE = "/nowhere"  # where dpkg has no files, so that its program is asked


class Programs:
    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    def __call__(self, argv: Sequence[str]) -> Answer:
        self.asked.append(list(argv))
        return self.answers.pop(0)


def test_dpkg_knows_a_merged_path_by_its_old_name() -> None:
    run = Programs(
        Answer(1, b"openssh-server, other: /usr/sbin/sshd\niproute2: /sbin/ss\ndiversion by x from: /sbin/ss\n", b"no"),
        Answer(0, b"iproute2\tiproute2\t6.1.0-3\nopenssh-server:amd64\topenssh-server\t1:9.2\n", b""),
    )
    assert packages.owning_packages("dpkg", [b"/usr/sbin/ss", b"/usr/sbin/sshd", b"/opt/own"], run, NOWHERE) == {
        b"/usr/sbin/ss": Package("iproute2", "6.1.0-3", "dpkg"),
        b"/usr/sbin/sshd": Package("openssh-server", "1:9.2", "dpkg"),
    }
    assert len(run.asked) == 2
    assert "--" in run.asked[0]


def test_dpkg_patterns_in_a_path_are_taken_literally() -> None:
    run = Programs(Answer(1, b"", b""))
    packages.owning_packages("dpkg", [b"/opt/a*[b]?\\"], run, NOWHERE)
    assert run.asked[0][3:] == [r"/opt/a\*\[b\]\?" + "\\\\"]


def test_rpm_answers_are_matched_by_file_and_not_by_order() -> None:
    output = (
        b"nginx-core\t1:1.24-1\t/etc/nginx\nnginx-core\t1:1.24-1\t/usr/sbin/nginx\n"
        b"file /opt/x is not owned by any package\n"
    )
    run = Programs(Answer(1, output, b""))
    assert packages.owning_packages("rpm", [b"/opt/x", b"/usr/sbin/nginx"], run) == {
        b"/usr/sbin/nginx": Package("nginx-core", "1:1.24-1", "rpm")
    }


def test_apk_names_with_dashes_and_symlinks() -> None:
    output = (
        b"/usr/sbin/nginx is owned by nginx-mod-http-1.24.0-r7\n"
        b"/bin/sh symlink target is owned by busybox-binsh-1.36.1-r5\n"
    )
    run = Programs(Answer(0, output, b""))
    assert packages.owning_packages("apk", [b"/usr/sbin/nginx", b"/bin/sh"], run) == {
        b"/usr/sbin/nginx": Package("nginx-mod-http", "1.24.0-r7", "apk"),
        b"/bin/sh": Package("busybox-binsh", "1.36.1-r5", "apk"),
    }


def test_nothing_to_ask_asks_nothing() -> None:
    assert packages.owning_packages("dpkg", [], Programs()) == {}


def test_a_manager_that_breaks_is_said() -> None:
    with pytest.raises(ProgramError, match="database is locked"):
        packages.owning_packages("dpkg", [b"/x"], Programs(Answer(2, b"", b"database is locked")), NOWHERE)


def test_the_manager_is_the_one_with_a_database() -> None:
    assert packages.manager_of_host(lambda path: path == "/var/lib/rpm") == "rpm"
    assert packages.manager_of_host(lambda path: False) is None


def _database(root: Path, **files: str) -> str:
    """A database of dpkg with sshd, and what is given besides."""
    content = {
        "info/format": "1\n",
        "diversions": "",
        "status": (
            "Package: other\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3\n\n"
            "Package: openssh-server\nArchitecture: i386\nVersion: 1:8\nDescription: x\n Version: 0\n\n"
            "Package: openssh-server\nArchitecture: amd64\nVersion: 1:9.2\nDescription: x\n Version: 0\n"
        ),
        "info/openssh-server:amd64.list": "/.\n/usr\n/usr/sbin\n/usr/sbin/sshd\n",
        "info/other.list": "/.\n/usr/sbin/sshd-other\n/opt/own\n",
        **{name.replace("__", "/"): text for name, text in files.items()},
    }
    for name, text in content.items():
        path = root / "var/lib/dpkg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "var/lib/dpkg/updates").mkdir(exist_ok=True)
    return str(root)


def test_the_files_of_dpkg_tell_without_its_program(tmp_path: Path) -> None:
    paths = [b"/usr/sbin/sshd", b"/opt/own", b"/usr/sbin/ssh", b"/opt/nobody"]
    assert packages.owning_packages("dpkg", paths, Programs(), _database(tmp_path)) == {
        b"/usr/sbin/sshd": Package("openssh-server", "1:9.2", "dpkg"),
        b"/opt/own": Package("other", "3", "dpkg"),
    }


@pytest.mark.parametrize(
    "files",
    [
        {"diversions": "/usr/sbin/sshd\n/usr/sbin/sshd.real\nother\n"},
        {"diversions": "/usr/sbin/other\n/usr/sbin/sshd\nother\n"},
        {"updates__0000": "Package: openssh-server\n"},
        {"info__format": "2\n"},
        {"status": "Package: other\nArchitecture: amd64\nVersion: 3\n"},
        {"status": "Package: openssh-server\nArchitecture: amd64\n"},
    ],
)
def test_where_the_files_of_dpkg_do_not_tell_its_program_is_asked(tmp_path: Path, files: dict[str, str]) -> None:
    run = Programs(Answer(0, b"other: /usr/sbin/sshd\n", b""), Answer(0, b"other\tother\t3\n", b""))
    found = packages.owning_packages("dpkg", [b"/usr/sbin/sshd"], run, _database(tmp_path, **files))
    assert found == {b"/usr/sbin/sshd": Package("other", "3", "dpkg")}
    assert len(run.asked) == 2


def test_a_path_is_the_same_by_another_name_only_where_its_folder_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = _database(tmp_path)
    lists = tmp_path / "var/lib/dpkg/info"
    (lists / "other.list").write_text("/sbin/tool\n")
    for merged, expected in ((True, {b"/usr/sbin/tool": Package("other", "3", "dpkg")}), (False, {})):
        monkeypatch.setattr(packages, "_identity", lambda path, merged=merged: (1, 1 if merged else len(path)))
        assert packages.owning_packages("dpkg", [b"/usr/sbin/tool"], Programs(), root) == expected


def test_the_files_and_the_program_of_the_real_dpkg_agree() -> None:
    if packages.manager_of_host() != "dpkg":
        pytest.skip("this host has no dpkg")
    paths = [os.fsencode(entry.path) for entry in os.scandir("/usr/sbin") if not entry.is_symlink()]
    by_files = packages.owning_packages("dpkg", paths, Programs())
    assert by_files == packages.owning_packages("dpkg", paths, programs.run, NOWHERE)
    assert len(by_files) > 20


def test_the_real_dpkg_of_this_host_knows_its_own_file() -> None:
    if packages.manager_of_host() != "dpkg":
        pytest.skip("this host has no dpkg")
    paths = subprocess.run(["dpkg-query", "-L", "coreutils"], stdout=subprocess.PIPE, check=True).stdout.split()
    path = next(path for path in paths if path.endswith(b"/cat"))
    other = path[4:] if path.startswith(b"/usr/") else b"/usr" + path
    found = packages.owning_packages("dpkg", [path, other], programs.run)
    assert found[path].name == "coreutils"
    assert found[path] == found[other]
    assert found[path].version


def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(ProgramError, match="no-such-program"):
        programs.run(["no-such-program"])


def test_a_program_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_TIMEOUT", 0.1)
    with pytest.raises(ProgramError, match="did not end"):
        programs.run(["sleep", "60"])
