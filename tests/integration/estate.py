# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two hosts of the fleet over days: what happens to them, and audits of them at a time that is passed in.

The time is moved in ansible-playbook and in what it starts on the control node: runs, exceptions and reminders go by
it. Hosts and scanners, reached over SSH, keep the machine's clock. Not by faketime 0.9.10: with the clock by which
programs wait it moves half of the waiting, so that threads hang; without it, time.sleep() fails.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from fleet import playbook
from fleet.layout import STATE, ipv4
from receivers import Webhook

Json = dict[str, Any]

PORT, PACKAGED_PORT = 18099, 18097
SOURCE, CLOCK = (playbook.INTEGRATION / "fleet" / name for name in ("packaged_listener.c", "move_clock.c"))
PACKAGE, PROGRAM = "sessiond", "/srv/sessiond/sessiond"
GONE = STATE / "web1-is-gone"
PATIENCE = 60.0
SETTINGS: Json = {
    "audit_date": "",  # the day of the clock
    "audit_hosts": "web1,cache1",
    "audit_scan_depth": "known",
    "audit_scan_versions": False,
    "audit_scan_timeout": 20,
    "vigil_vantages": [{"name": "office", "scanners": ["scan-office"]}],
    "notify_retries": 0,
}
DECLARED: Json = {
    "port": PACKAGED_PORT,
    "process": PACKAGE,
    "reachable_from": ["office"],
    "justification": "Sessions of the shop",
    "owner": "data-team",
}
_HEADING = re.compile(r"(\w[\w ]*) \(\d+\):")
_ITEM = re.compile(r"- (?P<severity>[\w ]+): (?P<subject>.+?), (?P<rule>[a-z-]+): ")
_NOTE = re.compile(r"  since \S+; (?:(.+); )?finding [0-9a-f]+")


class Seen(NamedTuple):
    """What an audit left for people: its changes, what arrived at each channel, and the numbers that are not 0."""

    changes: list[str]
    alerts: list[str]
    numbers: dict[str, float]


class Estate:
    """web1 and cache1, the report directory of their audits, and two channels: ops for all, web for web-team."""

    def __init__(self, folder: Path, ops: Webhook, web: Webhook) -> None:
        self.folder, self.report_dir = folder, folder / "reports"
        self._hooks = {"ops": ops, "web": web}
        self._exceptions: list[Json] = []

    # What happens to the hosts.

    def open_port(self) -> None:
        start = f"/usr/bin/python3 /run/fleet/planted_socket.py 0.0.0.0 {PORT}"
        on("web1", f"{_in_background(start)}\necho $! > /run/fleet/week.pid\n{_until_listens(PORT)}")

    def close_port(self) -> None:
        on("web1", f"kill $(cat /run/fleet/week.pid)\nwhile ss -Htln sport = :{PORT} | grep -q .; do sleep 0.05; done")

    def excuse_port(self, *, until: str) -> None:
        approval = {"reason": "Until the cut-over", "owner": "web-team", "approved_by": "netsec"}
        self._exceptions = [{"port": PORT, **approval, "expires": until}]

    def drop_exception(self) -> None:
        self._exceptions = []

    def install(self, version: str) -> None:
        """Builds the package, installs it on cache1 with the host's own dpkg database, and (re)starts its program."""
        package = _built(STATE / "week", version)
        on(
            "cache1",
            f"""
if ! [ -e /run/dpkg ]; then  # what dpkg writes to, the host's own from now on
  mount -t tmpfs tmpfs /srv
  cp -a /var/lib/dpkg /run/dpkg
  mount --bind /run/dpkg /var/lib/dpkg
fi
dpkg --install {package}
if [ -e /run/fleet/week.pid ]; then kill $(cat /run/fleet/week.pid); fi
while ss -Htln sport = :{PACKAGED_PORT} | grep -q .; do sleep 0.05; done
{_in_background(PROGRAM)}
echo $! > /run/fleet/week.pid
{_until_listens(PACKAGED_PORT)}
""",
        )

    def lose_host(self) -> None:
        """web1's link goes down, from inside, until it is told otherwise by a file."""
        script = f"""
until [ -e {GONE} ]; do sleep 0.1; done
ip link set eth0 down
while [ -e {GONE} ]; do sleep 0.1; done
ip link set eth0 up
"""
        keep = "echo 1 > /proc/sys/net/ipv6/conf/eth0/keep_addr_on_down"
        on("web1", f"{keep}\n{_in_background(f'''sh -c '{script}' ''')}")
        for name in ("web1", ipv4(11)):  # a connection that is kept open would wait for minutes
            end = ("ssh", "-F", str(STATE / "ssh_config"), "-O", "exit", f"root@{name}")
            subprocess.run(end, check=False, capture_output=True)
        GONE.touch()
        until(lambda: not _answers(ipv4(11)))

    def return_host(self) -> None:
        GONE.unlink(missing_ok=True)
        until(lambda: _answers(ipv4(11)))

    def leave(self) -> None:
        """The hosts as they were before."""
        self.return_host()
        on("web1", "kill $(cat /run/fleet/week.pid) || true\nrm -f /run/fleet/week.pid")
        undone = "umount /var/lib/dpkg /srv || true\nrm -rf /run/dpkg /run/fleet/week.pid"
        on("cache1", f"kill $(cat /run/fleet/week.pid) || true\n{undone}")

    # Audits.

    def audit(self, at: dt.datetime) -> Seen:
        """What an audit that starts at that time changes, tells and counts."""
        told = {name: len(hook.taken) for name, hook in self._hooks.items()}
        before = set(self.sealed())
        with self._begun(at, "once") as started:
            output, _errors = started.communicate(timeout=300)
        sealed = set(self.sealed()) - before
        assert len(sealed) == 1, output
        (run,) = sealed
        assert self.results(run)["run"]["started"][:13] == f"{at:%Y-%m-%dT%H}", output
        assert self.results(run)["run"]["audit_date"] == f"{at:%Y-%m-%d}"
        alerts = [line for name, hook in self._hooks.items() for line in _told(name, hook.taken[told[name] :])]
        return Seen(self.changes(run), sorted(alerts), self._numbers(at))

    def killed_while_it_records(self, at: dt.datetime) -> str:
        """The name of a run whose processes all got SIGKILL within the transaction, before its commit."""
        before = set(self.sealed())
        with self._begun(at, mark := "records"):
            until(lambda: set(self.sealed()) - before)
            (run,) = set(self.sealed()) - before
            # A reader: the writer does all its work, and cannot commit.
            with contextlib.closing(sqlite3.connect(self.report_dir / "history.db", isolation_level=None)) as reader:
                reader.execute("BEGIN")
                assert (run,) not in reader.execute("SELECT run_id FROM vigil_runs").fetchall()
                until((self.report_dir / "history.db-journal").exists)
                _kill_all(mark)
        assert (self.report_dir / "history.db-journal").exists()
        return run

    def killed_after(self, seconds: float, at: dt.datetime) -> None:
        """An audit whose processes all get SIGKILL after so long."""
        with self._begun(at, mark := "moment") as started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(seconds)
            _kill_all(mark)

    @contextlib.contextmanager
    def _begun(self, at: dt.datetime, mark: str) -> Iterator[subprocess.Popen[str]]:
        layers = {"web1": {"vigil_exceptions__week": self._exceptions}, "cache1": {"vigil_ports__week": [DECLARED]}}
        named = {f"week_{name}": {"hosts": {name: values}} for name, values in layers.items()}
        overlay, settings = self.folder / "overlay.json", self.folder / "settings.json"
        overlay.write_text(json.dumps({"all": {"children": named}}), encoding="utf-8")
        channels: list[Json] = [{"name": name, "urls": [hook.url]} for name, hook in self._hooks.items()]
        channels[1]["owners"] = ["web-team"]
        where = {"audit_report_dir": str(self.report_dir), "audit_metrics_file": str(self.folder / "metrics.prom")}
        settings.write_text(json.dumps({**SETTINGS, **where, "notify_channels": channels}), encoding="utf-8")
        given = ("-i", str(overlay), "-e", f"@{settings}")
        around = ("env", f"VIGIL_WEEK={_mark(mark)}", *_clock(self.folder, at))
        with playbook.start("vigil.ports.audit", *given, around=around) as started:
            try:
                yield started
            finally:
                _kill_all(mark)

    # What is left of them.

    def sealed(self) -> list[str]:
        """The names of the complete runs, oldest first."""
        return sorted(path.parent.name for path in self.report_dir.glob("2*/manifest.json"))

    def recorded(self) -> list[str]:
        with contextlib.closing(sqlite3.connect(self.report_dir / "history.db")) as database:
            return sorted(row[0] for row in database.execute("SELECT run_id FROM vigil_runs"))

    def results(self, run: str) -> Json:
        found: Json = json.loads((self.report_dir / run / "results.json").read_text(encoding="utf-8"))
        return found

    def changes(self, run: str) -> list[str]:
        """Since the run before, as ``kind host [rule] [protocol/port] [from vantage]``."""
        return sorted(
            " ".join(
                filter(
                    None,
                    (
                        row["kind"],
                        row["host"],
                        row["rule"],
                        row["port"] and f"{row['protocol']}/{row['port']}",
                        row["vantage"] and f"from {row['vantage']}",
                    ),
                )
            )
            for row in self.results(run)["changes"]["since_last"]
        )

    def timeline(self, *ports: int) -> dict[str, list[str]]:
        """The events of each thing about those ports, as ``2026-11-20T06 kind``."""
        status, output = playbook.run("vigil.ports.timeline", "-e", f"audit_report_dir={self.report_dir}")
        assert status == 0, output
        found: dict[str, list[str]] = {}
        for line in output.splitlines():
            if re.match(r"  [a-z]", line):
                events = found.setdefault(re.sub(r" \([0-9a-f]+\)$", "", line.strip()), [])
            elif re.match(r"    2\d{3}-", line):
                at, kind = line.split()[:2]
                events.append(f"{at[:13]} {kind}")
        wanted = {f"tcp/{port}" for port in ports}
        return {subject: events for subject, events in found.items() if wanted.intersection(subject.split())}

    def _numbers(self, at: dt.datetime) -> dict[str, float]:
        lines = (self.folder / "metrics.prom").read_text(encoding="utf-8").splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        found = {
            name.removeprefix("vigil_ports_").replace('label=""', "").replace("{,", "{").replace("{}", ""): float(value)
            for name, value in pairs
        }
        # It grows with each rule that the project gets, and says nothing of the week.
        del found['checks{status="pass"}']
        ended = found.pop("last_complete_run_timestamp_seconds")
        assert 0 <= ended - at.timestamp() < PATIENCE * 5
        return {name: value for name, value in found.items() if value}


def on(host: str, script: str) -> None:
    """A shell script as root of the host. Raises CalledProcessError with what it said."""
    ssh = ("ssh", "-F", str(STATE / "ssh_config"), f"root@{host}", "PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -e -s")
    done = subprocess.run(ssh, input=script, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, is_so
        time.sleep(0.002)


def _in_background(command: str) -> str:
    return f"setsid {command} < /dev/null > /dev/null 2>&1 &"


def _until_listens(port: int) -> str:
    return f"until ss -Htln sport = :{port} | grep -q .; do sleep 0.05; done"


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, 22), 0.5):
        return True
    return False


def _built(folder: Path, version: str) -> Path:
    """A Debian package of that version with a compiled server in it."""
    root = folder / version
    program = root / PROGRAM.lstrip("/")
    program.parent.mkdir(parents=True)
    defines = (f"-DPORT={PACKAGED_PORT}", f'-DVERSION="{version}"')
    subprocess.run(("gcc", "-Wall", "-Werror", *defines, "-o", str(program), str(SOURCE)), check=True)
    told = subprocess.run(("dpkg", "--print-architecture"), check=True, capture_output=True, text=True)
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        f"Package: {PACKAGE}\nVersion: {version}\nArchitecture: {told.stdout.strip()}\n"
        "Maintainer: Nobody <nobody@example.com>\nDescription: a server that listens\n",
        encoding="utf-8",
    )
    package = folder / f"{PACKAGE}_{version}.deb"
    build = ("dpkg-deb", "--root-owner-group", "--build", str(root), str(package))
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return package


def _told(channel: str, messages: list[Json]) -> Iterator[str]:
    """Each thing that was told, as ``channel: title: severity rule host port from vantage; note``."""
    for message in messages:
        title, lines = "", message["message"].splitlines()
        for line, below in itertools.pairwise(lines):
            if heading := _HEADING.fullmatch(line):
                title = heading[1]
            elif item := _ITEM.match(line):
                note = _NOTE.fullmatch(below)
                assert note is not None, below
                about = f"{channel}: {title}: {item['severity']} {item['rule']} {item['subject']}"
                yield "; ".join(filter(None, (about, note[1])))


def _clock(folder: Path, at: dt.datetime) -> tuple[str, ...]:
    """The environment in which programs take it for that time when they begin."""
    library = folder / "move_clock.so"
    if not library.exists():
        subprocess.run(("gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(CLOCK)), check=True)
    return (f"LD_PRELOAD={library}", f"CLOCK_MOVED={at.timestamp() - time.time():.0f}")


def _mark(name: str) -> str:
    return f"{name}-{os.getpid()}"


def _kill_all(mark: str) -> None:
    """SIGKILL to everything that an audit started here; workers of Ansible are sessions of their own."""
    wanted = f"VIGIL_WEEK={_mark(mark)}\0".encode()

    def some() -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if wanted in (path / "environ").read_bytes() and b"State:\tZ" not in (path / "status").read_bytes():
                    found.append(int(path.name))
        return found

    while pids := some():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
