# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets on command lines do not leave the host."""

from __future__ import annotations

import time

import pytest
from ansible_collections.vigil.ports.plugins.module_utils._listeners.command_line import redacted, shown_command
from hypothesis import given
from hypothesis import strategies as st

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "arguments",
    [
        ["app", "--password", "s3cret"],
        ["app", "--password=s3cret"],
        ["app", "--password=s3cret,with comma & more"],
        ["app", "--password", "-s3cret"],
        ["app", "-Djavax.net.ssl.keyStorePassword=s3cret"],
        ["app", "--api-key", "s3cret"],
        ["app", "--db.auth_token=s3cret"],
        ["redis-server", "--requirepass", "s3cret"],
        ["env", "PGPASSWORD=s3cret", "psql"],
        ["mysql", "-ps3cret"],
        ["/usr/bin/mysqldump", "-p", "s3cret"],
        ["redis-cli", "-a", "s3cret"],
        ["curl", "-u", "me:s3cret"],
        ["curl", "--user", "me:s3cret"],
        ["curl", "-H", "Authorization: Basic s3cretandlong"],
        ["curl", "-H", "X-Api-Key: s3cret"],
        ["app", "postgres://me:s3cret@db/x"],
        ["app", "postgres://me:s3c@ret-s3cret@db/x"],
        ["app", "--url=amqp://me:s3cret@mq:5672/"],
        ["app", "https://example.org/?token=s3cret&x=1"],
        ["app", '{"password": "s3cret", "port": 80}'],
        ["app", "Server=x;Password=s3cret;Port=1"],
        ["app: --password s3cret --port 80"],
        ["app", "--header", "bearer s3cretandlong"],
        ["erl", "-setcookie", "s3cret"],
        ["sh", "-c", "PGPASSWORD=s3cret psql -h db"],
        ["sh", "-c", "export PGPASSWORD='s3cret'; psql"],
        ["su", "-c", "mysql -uroot -ps3cret db"],
        ["bash", "-c", "cd /srv && /usr/bin/curl -u user:s3cret http://x"],
        ["bash", "-c", "redis-cli -h x -a s3cret"],
        ["bash", "-c", "sshpass -p s3cret ssh x"],
        ["sshpass", "-p", "s3cret", "ssh", "x"],
        ["sshpass", "-ps3cret", "ssh", "x"],
        ["redis-cli", "-u", "redis://:s3cret@db"],
        ["curl", "-HAuthorization: Bearer s3cretandlong"],
        ["curl", "-uuser:s3cret"],
        ["curl", "--user=user:s3cret"],
        ["curl", "-b", "sid=s3cret"],
        ["smbclient", "//h/s", "-U", "user%s3cret"],
        ["plink", "-pw", "s3cret"],
        ["xfreerdp", "/u:x", "/p:s3cret"],
        ["openssl", "rsa", "-passin", "pass:s3cret"],
        ["openssl", "enc", "-k", "s3cret"],
        ["gpg", "--passphrase=s3cret"],
        ["snmpwalk", "-c", "s3cret", "h"],
        ["ldapsearch", "-D", "cn=x", "-w", "s3cret"],
        ["sqlplus", "scott/s3cret@db"],
        ["app", "jdbc:oracle:thin:scott/s3cret@h:1521/x"],
        ["app", "jdbc:postgresql://h/db?user=a&password=s3cret"],
        ["app", "Endpoint=sb://x/;SharedAccessKeyName=R;SharedAccessKey=s3cret"],
        ["app", "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=s3cret;EndpointSuffix=y"],
        ["app", "host=db password = 's3cret with a blank'"],
        ["app", "AWS_SECRET_ACCESS_KEY=s3cret"],
        ["app", "--secret-access-key", "s3cret"],
        ["app", "https://x.example/y?sv=2020&sig=s3cret&se=1"],
        ["app", "https://x.example/?X-Amz-Signature=s3cret"],
        ["app", "https://hooks.slack.com/services/T0/B0/s3cret"],
        ["app", "https://s3cret@errors.example/1"],
        ["docker", "run", "-e", "MYSQL_ROOT_PASSWORD=s3cret", "mysql"],
        ["ansible", "-e", '{"ansible_password": "s3cret"}'],
        ["app", "--pw", "s3cret"],
        ["app", "DB_PW=s3cret"],
        ["app", "--otp", "s3cret"],
        ["app", "--basic-auth", "s3cret"],
        ["mariadbd", "--wsrep-sst-auth=user:s3cret"],
        ["git", "clone", "https://oauth2:s3cret@git.example/x.git"],
    ],
)
def test_a_marked_secret_is_not_shown(arguments: list[str]) -> None:
    shown = shown_command(arguments, redact=True)
    assert "s3cret" not in shown
    assert "[redacted]" in shown
    assert "s3cret" in shown_command(arguments, redact=False)


@pytest.mark.parametrize(
    "token",
    [JWT, "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "glpat-abcdefghij0123456789", "xoxb-123456789012-abcdef"],
)
def test_a_known_token_is_not_shown_wherever_it_stands(token: str) -> None:
    assert token not in shown_command(["app", token], redact=True)
    assert token not in shown_command([f"app start {token} now"], redact=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nginx", "-g", "daemon off;"],
        ["app", "--password-file", "/run/secrets/db"],
        ["app", "--token-url=https://example.org/token"],
        ["ssh", "-p", "2222", "me@example.org"],
        ["app", "--port", "8080", "-v"],
        ["dnsmasq", "--listen-address=127.0.0.1"],
        ["app", "http://example.org:80/a@b"],
        ["sshd", "-D", "-o", "PasswordAuthentication=no"],
        ["sshd", "-o", "KbdInteractiveAuthentication no"],
        ["app", "--bypass", "10.0.0.0/8"],
        ["app", "--compass", "north"],
        ["app", "--tokenizer", "fast"],
        ["app", "--passive-ports=8000"],
        ["app", "--spin", "1", "--design=3"],
        ["docker-proxy", "-proto", "tcp", "-host-port", "80", "-container-ip", "172.17.0.2"],
        ["redis-server", "*:6379"],
        ["sshd: me@pts/0"],
        ["sh", "-c", "cd /srv && exec app -p 80 -u www"],
        ["chown", "-R", "www:www", "/srv"],
    ],
)
def test_what_is_no_secret_is_shown(arguments: list[str]) -> None:
    assert redacted(arguments) == arguments


def test_what_follows_the_secret_is_shown() -> None:
    assert redacted(["app", "--password", "x", "--port", "80"]) == ["app", "--password", "[redacted]", "--port", "80"]
    assert redacted(["app", "--ask-password", "--port", "80"]) == ["app", "--ask-password", "--port", "80"]


def test_arguments_are_told_apart_and_a_title_is_left_as_it_is() -> None:
    assert shown_command(["a b", "c"], redact=True) == "'a b' c"
    assert shown_command(["nginx: worker process"], redact=True) == "nginx: worker process"


@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_arguments_can_be_shown(arguments: list[str]) -> None:
    assert len(redacted(arguments)) == len(arguments)


@pytest.mark.parametrize(
    "piece", ["a", "pass", "x-", "eyJ-", "a:", "http://", "bearer ", " ", "-- ", "'", "a.b@", "=:"]
)
def test_a_hostile_command_line_does_not_take_long(piece: str) -> None:
    text = (piece * 4096)[:4096]
    before = time.process_time()
    redacted([text, text])
    assert time.process_time() - before < 0.5


@pytest.mark.parametrize(
    "argument",
    [
        "postgresql://audit:one/s3cr3t@db.example/vigil",
        "postgresql://audit:one?s3cr3t@db.example/vigil",
        "postgresql://audit:one#s3cr3t@db.example/vigil",
        "https://discord.com/api/webhooks/123/s3cr3t",
        "https://chat.example/hooks/s3cr3t/more",
        "https://api.telegram.org/bot123:s3cr3t/sendMessage",
        "--webhook-url=https://chat.example/x/s3cr3t",
        '{"passwords": ["one", "s3cr3t"]}',
        "x passwords=one,s3cr3t",
        "{passwords: [one, s3cr3t], a: 1}",
        '{"password": "one\\"s3cr3t"}',
        'x --data "{\\"password\\": \\"one\\\\\\"s3cr3t\\"}"',
        "{'password': 'one\\'s3cr3t'}",
    ],
)
def test_a_secret_is_replaced_whole(argument: str) -> None:
    assert "s3cr3t" not in " ".join(redacted(["app", argument]))
