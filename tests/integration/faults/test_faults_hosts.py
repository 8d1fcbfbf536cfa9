# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on the way to a host and on the host, before anything of it is seen."""

from __future__ import annotations

import shutil
from pathlib import Path

from fleet.layout import SSH_CONFIG

from faults.audits import Auditing
from faults.conftest import Telling
from faults.inside import Inside
from faults.table import assessed, fault, not_assessed

OLD_PYTHON = "3.7"
PYTHON = "/run/fleet/python"


def ssh(*options: str) -> str:
    """A connection of its own, so that no other one is shared or lost."""
    return f"-F {SSH_CONFIG} -o ControlPath=none {' '.join(options)}"


def faulty_python(host: Inside, before: str) -> dict[str, str]:
    """Host variables by which the modules run through a shell script that ends in the real Python."""
    host.script(PYTHON, f'#!/bin/sh\n{before}\nexec /usr/bin/python3 "$@"')
    return {"ansible_python_interpreter": PYTHON}


@fault(
    "host-unreachable",
    area="hosts",
    fault="A host does not answer",
    cause="a host of the inventory at an address where nobody is",
    says=not_assessed("ghost1:unreachable", "ghost1:scan-failed@office:198.18.0.66", line="No route to host"),
)
def test_a_host_that_does_not_answer(audit: Auditing, told: Telling) -> None:
    told(audit("ghost1"))


@fault(
    "ssh-drops",
    area="hosts",
    fault="SSH drops while the host is being listed",
    cause="the module kills the sshd of its own connection before it answers",
    says=not_assessed("web1:unreachable", line="closed by remote host"),
)
def test_ssh_that_drops_in_the_middle(audit: Auditing, told: Telling, web1: Inside) -> None:
    above = "u=$(cut -d' ' -f4 /proc/$p/stat); [ $u = 1 ] && break; [ $(cat /proc/$p/comm) = sshd ] && kill -9 $p; p=$u"
    told(
        audit(
            host_vars={
                "web1": {**faulty_python(web1, f"p=$$\nwhile :; do {above}; done"), "ansible_ssh_common_args": ssh()}
            }
        )
    )


@fault(
    "ssh-host-key",
    area="hosts",
    fault="The SSH host key is another one than known",
    cause="known_hosts holds another key for the host",
    says=not_assessed("web1:unreachable", line="REMOTE HOST IDENTIFICATION HAS CHANGED"),
)
def test_a_changed_host_key(audit: Auditing, told: Telling, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    other = (SSH_CONFIG.parent / "hosts/cache1/host_key.pub").read_text(encoding="ascii").split()[:2]
    known.write_text(f"198.18.0.11 {' '.join(other)}\n", encoding="ascii")
    told(audit(host_vars={"web1": {"ansible_ssh_common_args": ssh(f"-o UserKnownHostsFile={known}")}}))


@fault(
    "host-without-python",
    area="hosts",
    fault="A host has no Python",
    cause="the interpreter of the inventory is not there",
    says=not_assessed("web1:failed", line="/opt/none/python3"),
)
def test_a_host_without_python(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"web1": {"ansible_python_interpreter": "/opt/none/python3"}}))


@fault(
    "python-too-old",
    area="hosts",
    fault="The Python of a host is too old",
    cause=f"Python {OLD_PYTHON} where the machine has one, else one that fails on newer syntax as it does",
    says=not_assessed("web1:failed", line="older than 3.8"),
)
def test_a_python_that_is_too_old(audit: Auditing, told: Telling, web1: Inside) -> None:
    real = next(Path("~/.pyenv/versions").expanduser().glob(f"{OLD_PYTHON}.*/bin/python{OLD_PYTHON}"), None)
    path = str(real) if real else shutil.which(f"python{OLD_PYTHON}")
    if path is None:
        path = web1.script(PYTHON, "#!/bin/sh\necho 'SyntaxError: invalid syntax' >&2; exit 1")
    told(audit(host_vars={"web1": {"ansible_python_interpreter": path}}))


SUDO = {"ansible_become": True, "ansible_become_method": "sudo", "ansible_become_password": "wrong"}


@fault(
    "sudo-wrong-password",
    area="hosts",
    fault="sudo refuses the password",
    cause="the real sudo of a host, and a password that is not the account's",
    says=not_assessed("noroot1:failed", line="sudo password"),
)
def test_sudo_with_a_wrong_password(audit: Auditing, told: Telling, noroot1: Inside) -> None:
    with_password(noroot1, "right")
    told(audit("noroot1", host_vars={"noroot1": SUDO}))


@fault(
    "sudo-not-allowed",
    area="hosts",
    fault="The account may not use sudo",
    cause="the real sudo of a host, the right password, and an account that sudoers does not name",
    says=not_assessed("noroot1:failed", line="not in the sudoers file"),
)
def test_an_account_that_may_not_use_sudo(audit: Auditing, told: Telling, noroot1: Inside) -> None:
    with_password(noroot1, "wrong")
    told(audit("noroot1", host_vars={"noroot1": SUDO}))


def with_password(host: Inside, password: str) -> None:
    """Gives the account of the host that is nobody special a password."""
    host.run(
        f"sed 's|^auditor:[^:]*|auditor:'$(openssl passwd -6 {password})'|' /etc/shadow > /run/fleet/new;"
        " cat /run/fleet/new > /etc/shadow"
    )


@fault(
    "target-disk-full",
    area="hosts",
    fault="The disk of a host is full",
    cause="full file systems over /tmp, /var/tmp, /usr/tmp and the home directory",
    says=not_assessed("web1:failed", line="No usable temporary directory"),
)
def test_a_full_disk(audit: Auditing, told: Telling, web1: Inside) -> None:
    web1.full("/tmp", "/var/tmp", "/root")
    told(audit())


@fault(
    "remote-tmp",
    area="hosts",
    fault="Ansible's temporary directory on the host cannot be made",
    cause="ansible_remote_tmp below /proc, pipelining off",
    says=not_assessed("web1:unreachable", line="/proc/none"),
)
def test_a_remote_tmp_that_cannot_be_made(audit: Auditing, told: Telling) -> None:
    told(audit(host_vars={"web1": {"ansible_remote_tmp": "/proc/none", "ansible_pipelining": False}}))


@fault(
    "module-killed",
    area="hosts",
    fault="The module is killed while it runs",
    cause="SIGKILL to its process, which is what the kernel sends when memory is short",
    says=not_assessed("web1:failed", line="SIGKILL"),
)
def test_a_module_that_is_killed(audit: Auditing, told: Telling, web1: Inside) -> None:
    told(audit(host_vars={"web1": faulty_python(web1, "kill -9 $$")}))


@fault(
    "module-out-of-memory",
    area="hosts",
    fault="The module gets no more memory",
    cause="ulimit -v of 24 MB around the interpreter",
    says=not_assessed("web1:failed", line="emory"),
)
def test_a_module_without_memory(audit: Auditing, told: Telling, web1: Inside) -> None:
    told(audit(host_vars={"web1": faulty_python(web1, "ulimit -v 24000")}))


@fault(
    "greeting",
    area="hosts",
    fault="The host greets before the answer comes",
    cause="the sshrc of a real sshd, which prints a line at each login",
    says=assessed("web1", line="Everything in scope was looked at."),
)
def test_a_greeting_before_the_answer(audit: Auditing, told: Telling, web1: Inside) -> None:
    greet(web1, "Welcome to web1. Be good!")
    told(audit(host_vars={"web1": {"ansible_ssh_common_args": ssh()}}))


@fault(
    "garbage",
    area="hosts",
    fault="What the host prints before the answer looks like the answer",
    cause="the sshrc of a real sshd, which prints a line that begins with a brace",
    says=not_assessed("web1:failed", line="{ Welcome }"),
)
def test_garbage_before_the_answer(audit: Auditing, told: Telling, web1: Inside) -> None:
    greet(web1, "{ Welcome }")
    told(audit(host_vars={"web1": {"ansible_ssh_common_args": ssh()}}))


def greet(host: Inside, text: str) -> None:
    host.own_folder("/etc/ssh")
    host.script("/etc/ssh/sshrc", f"echo '{text}'")


@fault(
    "other-answer",
    area="hosts",
    fault="The host answers with success and with other things than it was asked for",
    cause="an interpreter that prints JSON of another shape",
    says=not_assessed("web1:failed", line="listening.host: the key hostname is missing"),
)
def test_an_answer_of_another_shape(audit: Auditing, told: Telling, web1: Inside) -> None:
    answer = '{"changed": false, "listeners": [], "addresses": [], "host": {}, "coverage": {}}'
    told(audit(host_vars={"web1": faulty_python(web1, f"cat > /dev/null; echo '{answer}'; exit")}))


@fault(
    "empty-answer",
    area="hosts",
    fault="The host ends with success and says nothing",
    cause="an interpreter that prints nothing and ends with 0",
    says=not_assessed("web1:failed", line="it printed nothing"),
)
def test_an_answer_without_words(audit: Auditing, told: Telling, web1: Inside) -> None:
    told(audit(host_vars={"web1": faulty_python(web1, "cat > /dev/null; exit 0")}))


@fault(
    "host-hangs",
    area="hosts",
    fault="A host takes the question and never answers",
    cause="an interpreter that sleeps for longer than audit_answer_timeout, here three seconds",
    says=not_assessed("web1:no-evidence", line="it did not answer in time (audit_answer_timeout)"),
)
def test_a_host_that_never_answers(audit: Auditing, told: Telling, web1: Inside) -> None:
    told(audit(host_vars={"web1": faulty_python(web1, "exec sleep 600")}, audit_answer_timeout=3))
