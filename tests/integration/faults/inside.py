# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of the fleet from within, without SSH: to break it, and to mend it when the test is over."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fleet import control
from fleet.layout import CHECKOUT

#: Where the scanners' Python is: the checkout may lie anywhere, also below /tmp.
_PYTHON = sorted({os.path.realpath(path) for path in (CHECKOUT, sys.prefix, sys.base_prefix)})


class Inside:
    """The namespaces of one host. Everything that is done here is undone by ``mend``, the last thing first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._enter = ("nsenter", "-t", str(_init_of(name)), "--mount", "--uts", "--ipc", "--net", "--pid", "--")
        self._mending: list[str] = []

    def run(self, script: str) -> str:
        """The output of a shell script there, as root. Raises CalledProcessError."""
        done = subprocess.run(
            (*self._enter, "sh", "-euc", script), capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise AssertionError(f"{self.name}: {script}\nended with {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A process there that the test ends itself."""
        return subprocess.Popen((*self._enter, *command), stdin=subprocess.DEVNULL)

    def breaks(self, script: str, mend: str) -> None:
        """Runs a script there, and another one when the test is over."""
        self.run(script)
        self._mending.append(mend)

    def firewall(self, rules: str) -> None:
        """A table of nftables of its own: ``rules`` are the chains of ``table inet fault``."""
        self.breaks(f"nft -f - <<'END'\ntable inet fault {{\n{rules}\n}}\nEND", "nft delete table inet fault")

    def own_folder(self, folder: str) -> None:
        """The folder of the machine as one of the host's own, to change what is in it."""
        place = f"/run/fleet/own{folder}"
        self.breaks(
            f"mkdir -p {place} && mount -t tmpfs tmpfs {place} && mkdir {place}/upper {place}/work &&"
            f" mount -t overlay overlay -o lowerdir={folder},upperdir={place}/upper,workdir={place}/work {folder}",
            f"umount -l {folder}; umount -l {place}",
        )

    def script(self, path: str, text: str) -> str:
        """A program there. Gives its path."""
        place = Path(path)
        self.run(f"cat > {place} <<'END'\n{text}\nEND\nchmod 755 {place}")
        return path

    def full(self, *folders: str) -> None:
        """File systems without room over the folders. A checkout below one of them, and its Python, stay there."""
        for folder in folders:
            kept = {f"/run/fleet/kept{path}": path for path in _PYTHON if path.startswith(f"{folder}/")}
            aside = "".join(f"mkdir -p {place}; mount --rbind {path} {place}; " for place, path in kept.items())
            back = "".join(f"mkdir -p {path}; mount --rbind {place} {path}; " for place, path in kept.items())
            self.breaks(
                f"{aside}mount -t tmpfs -o size=4k,mode=1777 tmpfs {folder}; {back}"
                f"head -c 8192 /dev/zero > {folder}/full || true",
                f"umount -R -l {folder}{''.join(f'; umount -R -l {place}' for place in kept)}",
            )

    def mend(self) -> None:
        for script in reversed(self._mending):
            self.run(script)
        self._mending.clear()


def _init_of(name: str) -> int:
    """Process 1 of a host, as this process numbers it: below the keeper of the fleet that is up."""
    up = control.status()
    assert up is not None
    ending = f"fleet.host_init\0{name}\0".encode()
    for member in _children(up.keeper):
        for process in _children(member):
            if Path(f"/proc/{process}/cmdline").read_bytes().endswith(ending):
                return process
    raise LookupError(f"no host {name} below the keeper {up.keeper}")


def _children(process: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return found


@contextlib.contextmanager
def inside(name: str) -> Iterator[Inside]:
    """A host to break, whole again at the end of the block."""
    host = Inside(name)
    try:
        yield host
    finally:
        host.mend()
