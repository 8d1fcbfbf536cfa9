# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts arrive once, at a real mail server and a real webhook; what does not arrive waits; URLs are seen nowhere."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts import tell as telling
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.channels import Channels, read_channels
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.delivery import Effort
from ansible_collections.vigil.ports.plugins.plugin_utils._alerts.tell import MOST_WAITING, Telling, Wishes, tell
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.records.host import HOSTS
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.run_directory import RunDirectory
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils import evidence_builders as build
from ansible_collections.vigil.ports.tests.unit.plugins.plugin_utils.sealed_runs import OPENED, render
from fleet import playbook
from receivers import PASSWORD, TOKEN, Mailbox, Webhook, mail_server, webhook

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is deprecated and slated for removal:DeprecationWarning"),  # Apprise's imports
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning"),  # of the mail server
]
Json = dict[str, Any]
WISHES = Wishes(dt.timedelta(days=7), "low", "", Effort(tries=2, timeout=5, pause=0.01))


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as one:
        yield one


def channels(everybody: str, team: str | None = None) -> Channels:
    value: list[Json] = [{"name": "ops", "urls": [everybody]}]
    if team:
        value.append({"name": "team", "owners": ["web-team"], "urls": [team]})
    found, problems = read_channels(value, 5)
    assert problems == []
    return found


def made_run(report_dir: Path, day: int, *undeclared: int, wanted: bool = False) -> RunDirectory:
    """A run of that day on which these ports listen undeclared, and one of web-team's is missing or not."""
    run = RunDirectory.create(report_dir, OPENED + dt.timedelta(days=day))
    started = f"{OPENED + dt.timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}"
    ports = [build.declared(443), *([build.declared(25)] if wanted else [])]
    run.write_run(build.run(run_id=run.run_id, started=started))
    run.write(HOSTS, build.host_evidence(ports, map(build.listener, (443, *undeclared))))
    run.put_scan("internet", build.share([build.target()]))
    render(run)
    return run


def test_a_life_is_told_in_four_messages(tmp_path: Path, hook: Webhook) -> None:
    where = channels(hook.url)
    days = [(), (8080,), (8080,), (8080,), (), ()]
    told = [tell(made_run(tmp_path, 3 * day, *ports), where, WISHES) for day, ports in enumerate(days)]
    assert [one.delivered for one in told] == [0, 1, 0, 0, 1, 0]
    told.append(tell(made_run(tmp_path, 20, 8080), where, WISHES))
    told.append(tell(made_run(tmp_path, 27, 8080), where, WISHES))
    assert [one.problems for one in told] == [()] * 8
    assert [message["title"] for message in hook.taken] == [
        "vigil.ports: 1 new for what nobody answers for; gravest: medium",
        "vigil.ports: 1 over for what nobody answers for",
        "vigil.ports: 1 new for what nobody answers for; gravest: medium",
        "vigil.ports: 1 still open for what nobody answers for; gravest: medium",
    ]
    assert [message["type"] for message in hook.taken] == ["warning", "success", "warning", "warning"]
    assert "web1 tcp/8080, undeclared-listener" in hook.taken[0]["message"]


def test_each_owner_is_told_at_his_channel_and_the_rest_by_mail(
    tmp_path: Path, mailbox: Mailbox, hook: Webhook
) -> None:
    told = tell(made_run(tmp_path, 0, 8080, wanted=True), channels(mailbox.url, hook.url), WISHES)
    assert told == Telling(2, 2, 0, ())
    (mail,), (message,) = mailbox.mails, hook.taken
    assert mail["Subject"] == "vigil.ports: 1 new for what nobody answers for; gravest: medium"
    text = "".join(part.get_content() for part in mail.walk() if part.get_content_maintype() == "text")
    assert "tcp/8080, undeclared-listener" in text
    assert "tcp/25" not in text
    assert "tcp/25, missing-listener" in message["message"]
    assert "8080" not in message["message"]


def test_a_channel_that_is_down_keeps_its_messages_and_gets_each_once(
    tmp_path: Path, mailbox: Mailbox, hook: Webhook
) -> None:
    where = channels(mailbox.url, hook.url)
    hook.down()
    first = tell(made_run(tmp_path, 0, 8080, wanted=True), where, WISHES)
    assert (first.delivered, first.undelivered) == (1, 1)
    assert first.problems == ("channel team[0]: no connection, or it broke off; 1 messages wait for the next run",)
    second = tell(made_run(tmp_path, 1, 8080), where, WISHES)
    assert (second.delivered, second.undelivered) == (0, 2)
    hook.up()
    third = tell(made_run(tmp_path, 2, 8080), where, WISHES)
    assert (third.planned, third.delivered, third.undelivered, third.problems) == (0, 2, 0, ())
    assert [message["title"] for message in hook.taken] == [
        "vigil.ports: 1 new for web-team; gravest: medium",
        "vigil.ports: 1 over for web-team",
    ]
    assert len(mailbox.mails) == 1


def test_two_audits_at_once_tell_once(tmp_path: Path, hook: Webhook) -> None:
    runs = [made_run(tmp_path, 0, 8080), made_run(tmp_path, 0, 8080)]
    threads = [threading.Thread(target=tell, args=(run, channels(hook.url), WISHES)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hook.taken) == 1


@contextlib.contextmanager
def dripping() -> Iterator[int]:
    """The port of a server that begins to answer, and sends a letter more whenever one is about to give up."""
    over = threading.Event()

    def answer(server: socket.socket) -> None:
        connection, _address = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not over.wait(0.3):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join()


def test_a_receiver_that_never_ends_its_answer_is_given_up_and_keeps_nobody_waiting(
    tmp_path: Path, hook: Webhook
) -> None:
    with dripping() as port:
        found, problems = read_channels([{"name": "ops", "urls": [f"json://127.0.0.1:{port}/", hook.url]}], 1)
        assert problems == []
        told = tell(made_run(tmp_path, 0, 8080), found, WISHES._replace(effort=Effort(1, 1, 0.01)))
    assert told.problems == ("channel ops[0]: no answer in time; 1 messages wait for the next run",)
    assert len(hook.taken) == 1


def test_an_audit_that_is_killed_while_it_tells_tells_the_next_time(
    tmp_path: Path, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: object) -> NoReturn:
        raise KeyboardInterrupt

    run = made_run(tmp_path, 0, 8080)
    with monkeypatch.context() as patched:
        patched.setattr(telling, "deliver", killed)
        with pytest.raises(KeyboardInterrupt):
            tell(run, channels(hook.url), WISHES)
    assert tell(made_run(tmp_path, 1, 8080), channels(hook.url), WISHES) == Telling(0, 1, 0, ())
    assert len(hook.taken) == 1


def test_a_run_in_check_mode_tells_nobody_and_the_next_one_does(tmp_path: Path, hook: Webhook) -> None:
    run = made_run(tmp_path, 0, 8080)
    assert tell(run, channels(hook.url), WISHES, is_real=False) == Telling(1, 0, 0, ())
    assert not (tmp_path / "alerts.json").exists()
    assert tell(run, channels(hook.url), WISHES).delivered == 1


def test_what_waits_for_a_channel_that_is_gone_goes_to_the_owners_new_one(tmp_path: Path, hook: Webhook) -> None:
    port = hook.port
    hook.down()
    tell(made_run(tmp_path, 0, 8080), channels(hook.url), WISHES)
    with webhook() as other:
        assert other.port != port
        renamed, _problems = read_channels([{"name": "new", "urls": [other.url]}], 5)
        told = tell(made_run(tmp_path, 1, 8080), renamed, WISHES)
        assert told.problems == ("messages waited for ops[0], which is gone: they go where their owners are told now",)
        assert len(other.taken) == 1


def test_too_many_messages_are_given_up_with_a_count(tmp_path: Path, hook: Webhook) -> None:
    hook.down()
    tell(made_run(tmp_path, 0, 8080), channels(hook.url), WISHES)
    path = tmp_path / "alerts.json"
    state = json.loads(path.read_bytes())
    state["outbox"] *= MOST_WAITING + 3
    path.write_text(json.dumps(state))
    told = tell(made_run(tmp_path, 1, 8080), channels(hook.url), WISHES)
    assert told.undelivered == MOST_WAITING
    assert told.problems[0].startswith("3 messages for ops[0] were given up")
    assert json.loads(path.read_bytes())["dropped"] == 3


@pytest.mark.parametrize("damage", ["", "[]", '{"shape": "vigil.ports/alerts/1", "findings": {"x": {}}}', "{" * 9999])
def test_a_record_that_is_damaged_is_said_and_nothing_is_left_untold(
    tmp_path: Path, hook: Webhook, damage: str
) -> None:
    tell(made_run(tmp_path, 0, 8080), channels(hook.url), WISHES)
    (tmp_path / "alerts.json").write_text(damage)
    told = tell(made_run(tmp_path, 1, 8080), channels(hook.url), WISHES)
    assert "put aside as alerts.json.broken-1" in told.problems[0]
    assert len(hook.taken) == 2
    assert "all that is open is told again" in hook.taken[1]["message"]
    assert tell(made_run(tmp_path, 2, 8080), channels(hook.url), WISHES) == Telling(0, 0, 0, ())


def test_nothing_of_a_url_is_logged_or_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], hook: Webhook, mailbox: Mailbox
) -> None:
    log = tmp_path / "everything.log"
    handler = logging.FileHandler(log)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        with webhook(status=500) as broken:
            where = channels(broken.url.replace(PASSWORD, "wrong-but-secret"), broken.url)
            told = tell(made_run(tmp_path, 0, 8080, wanted=True), where, WISHES)
            assert sorted(problem.split(";")[0] for problem in told.problems) == [
                "channel ops[0]: refused with status 401",
                "channel team[0]: refused with status 500",
            ]
        wrong = channels(mailbox.url.replace(PASSWORD, "wrong-but-secret"), hook.url)
        once = WISHES._replace(effort=Effort(1, 5))
        assert tell(made_run(tmp_path, 1, 8080, wanted=True), wrong, once).undelivered == 1
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
        logging.getLogger().setLevel(logging.WARNING)
    seen = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] + list(capfd.readouterr())
    assert log.exists()
    for text in (*seen, repr(told), repr(where), repr(where.targets)):
        for secret in (PASSWORD, "wrong-but-secret", TOKEN):
            assert secret not in text
    assert stat.S_IMODE(os.stat(tmp_path / "alerts.json").st_mode) == 0o600


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (f"https-but-not-a-url {PASSWORD}", "notify_channels: not a list"),
        ([PASSWORD], "notify_channels[0]: not a mapping"),
        ([{"name": "ops", "urls": [f"nosuch://{PASSWORD}"]}], "notify_channels[0].urls[0]: no URL of a service"),
        ([{"name": "ops", "urls": [f"{PASSWORD}://x"]}], "notify_channels[0].urls[0]: no URL of a service"),
        ([{"name": "ops", "urls": [f"slack://{PASSWORD}"]}], "notify_channels[0].urls[0]: a URL of slack://,"),
        ([{"name": "ops", "urls": f"json://{PASSWORD}"}], "notify_channels[0].urls: a list"),
        ([{"name": f"json://{PASSWORD}", "urls": ["json://h"]}], "notify_channels[0].name: 1 to 40"),
        ([{"name": "ops", f"json://{PASSWORD}": 1, "urls": ["json://h"]}], "notify_channels[0]: has a key"),
        ([{"name": "ops", "owners": ["a"], "urls": ["json://h"]}], "notify_channels: no channel is for everybody"),
        ([{"name": "ops", "urls": ["json://h"]}] * 2, "notify_channels: the name ops stands twice"),
    ],
)
def test_a_channel_that_cannot_be_used_is_named_by_its_place_and_never_shown(value: object, place: str) -> None:
    _channels, problems = read_channels(value, 5)
    assert len(problems) == 1
    assert problems[0].startswith(place)
    assert PASSWORD not in problems[0]


def audit(report_dir: Path, settings: Json, *arguments: str) -> tuple[int, str]:
    """An audit of web1 from inside, as talkative as it can be; the channels come from a file, as from a vault."""
    variables = {
        "audit_hosts": "web1",
        "audit_scan_depth": "none",
        "audit_report_dir": str(report_dir),
        "audit_metrics_file": str(report_dir.parent / "vigil_ports.prom"),
        "notify_retries": 0,
        **settings,
    }
    file = report_dir.parent / "vault.json"
    file.write_text(json.dumps(variables))
    return playbook.run("vigil.ports.audit", "-vvv", "-e", f"@{file}", *arguments)


def test_the_whole_way(
    fleet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox, hook: Webhook
) -> None:
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(tmp_path / "ansible.log"))
    reports = tmp_path / "reports"
    wanted = {"port": 8199, "owner": "web-team", "justification": "Not there yet"}
    where = [{"name": "ops", "urls": [mailbox.url]}, {"name": "team", "owners": ["web-team"], "urls": [hook.url]}]
    quiet = {"notify_channels": where}
    outputs = []

    bad = [{"name": "ops", "urls": [mailbox.url, f"slack://{PASSWORD}"]}]
    status, output = audit(reports, {"notify_channels": bad})
    assert status == 2
    assert "notify_channels[0].urls[1]: a URL of slack://, and Apprise cannot use it" in output
    assert not reports.exists()
    outputs.append(output)

    unresolved = [{"name": "ops", "urls": [f"json://{PASSWORD}@{{{{ not_there }}}}/"]}]
    (tmp_path / "unresolved.yml").write_text(f"notify_channels: {json.dumps(unresolved)}\n")
    status, output = playbook.run("vigil.ports.notify", "-vvv", "-e", f"@{tmp_path / 'unresolved.yml'}")
    assert status == 2
    assert "notify_channels: cannot be resolved: the variable not_there in it is not defined" in output
    outputs.append(output)

    status, output = audit(reports, {"vigil_ports__alerts": [wanted], **quiet})
    outputs.append(output)
    assert status == 2, output
    assert "FAILED: " in output
    (message,) = [one for one in hook.taken if "8199" in one["message"]]
    assert "web1 tcp/8199, missing-listener" in message["message"]
    assert 'vigil_ports_alerts_undelivered{label=""} 0\n' in (tmp_path / "vigil_ports.prom").read_text()

    before, mails = len(hook.taken), len(mailbox.mails)
    hook.down()
    status, output = audit(reports, {"audit_fail_on": "never", **quiet})
    outputs.append(output)
    assert status == 0, output
    assert "[WARNING]: channel team[0]: no connection" in output
    text = (tmp_path / "vigil_ports.prom").read_text()
    assert 'vigil_ports_alerts_undelivered{label=""} 1\n' in text
    assert stat.S_IMODE((tmp_path / "vigil_ports.prom").stat().st_mode) == 0o644

    hook.up()
    for planned in ("0 new messages; 1 delivered, 0 wait", "0 new messages; 0 delivered, 0 wait"):
        status, output = playbook.run("vigil.ports.notify", "-vvv", "-e", f"@{tmp_path / 'vault.json'}")
        outputs.append(output)
        assert status == 0, output
        assert planned in output
    assert len(hook.taken) == before + 1
    assert "Over (1):" in hook.taken[-1]["message"]
    assert len(mailbox.mails) == mails

    (reports / "alerts.json").unlink()
    (reports / "alerts.json").mkdir()
    status, output = audit(reports, {"audit_fail_on": "never", "audit_metrics_file": "/nowhere/x.prom", **quiet})
    outputs.append(output)
    assert status == 0, output
    assert "alerts.json: Is a directory" in output
    assert "looked at from inside only" in output

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = [path.read_bytes() for path in files if path.name not in ("vault.json", "unresolved.yml")]
    for text in (*outputs, *(content.decode(errors="replace") for content in written)):
        assert PASSWORD not in text
        assert TOKEN not in text
