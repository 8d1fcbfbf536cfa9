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
