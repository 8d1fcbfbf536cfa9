# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that started a run, as evidence records it: only what is known to be harmless is written.

A list of what looks like a secret always lacks one. So the names of options stay, and of the values those of the
options and variables below; every other value is replaced whole. This module is private to the collection.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.vigil.ports.plugins.module_utils._listeners.command_line import REDACTED, redacted
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import visible

#: Options of ansible-playbook whose values are names of hosts, tags, files and numbers.
_HARMLESS_OPTIONS = frozenset(
    (
        *("-i", "--inventory", "--inventory-file", "-l", "--limit", "-t", "--tags", "--skip-tags", "-f", "--forks"),
        *("-u", "--user", "-c", "--connection", "-T", "--timeout", "--start-at-task", "-M", "--module-path"),
        *("--become-method", "--become-user", "--private-key", "--key-file"),
        *("--vault-id", "--vault-password-file", "--vault-pass-file"),
        *("--become-password-file", "--become-pass-file", "--connection-password-file", "--conn-pass-file"),
    )
)
_VARIABLES = ("-e", "--extra-vars")
#: Options without a value.
_SWITCHES = frozenset(
    (
        *("-C", "--check", "-D", "--diff", "-b", "--become", "-k", "--ask-pass", "-K", "--ask-become-pass", "-J"),
        *("--ask-vault-pass", "--ask-vault-password", "--flush-cache", "--force-handlers", "--list-hosts", "--step"),
        *("--list-tags", "--list-tasks", "--syntax-check", "-h", "--help", "--version", "-v", "--verbose"),
    )
)
#: Variables of the collection that are numbers, days, words and names of files.
_HARMLESS_VARIABLES = frozenset(
    f"{role}_{name}"
    for role, names in {
        "audit": (
            "report_dir label date signing_key fail_on accept_gaps formats expiring_days too_broad_ports "
            "too_broad_days every hosts namespaces owners packages verify_bind scan_depth scan_engine scan_versions "
            "scan_rate scan_target_rate scan_retries scan_timeout scan_host_timeout answer_timeout history "
            "history_keep_days metrics_file"
        ),
        "change": "id hosts since nothing again take_over",
        "notify": "run_dir remind_after min_severity retries timeout",
        "report": "run_dir into",
        "review": "run_dir",
        "verify": "run_dir allowed_signers signer",
    }.items()
    for name in names.split()
)
#: What a harmless value may be made of: no quotes, no address with a login, nothing that begins another assignment.
_PLAIN_VALUE = re.compile(r"@?[\w%+,.:/\-\[\]*!&~ ]*")
#: Names of gaps end in the name of a vantage point.
_GAPS, _GAP = "audit_accept_gaps", re.compile(r"[\w.\-*]+:[a-z\-*]+(?:[@:][\w.,\-*]+)*")
_OPTION = re.compile(r"(?P<name>--[a-z][a-z\-]*)=(?P<value>.*)", re.DOTALL)
_ASSIGNED = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL)


def recorded_command(arguments: Sequence[str]) -> list[str]:
    """The arguments, with each value that is not known to be harmless replaced by ``[redacted]``."""
    return [visible(text) for text in (*arguments[:1], *_arguments(arguments[1:]))]


def _arguments(arguments: Sequence[str]) -> Iterator[str]:
    option: str | None = None
    for argument in arguments:
        if option is not None:
            yield _value(option, argument)
            option = None
            continue
        long = _OPTION.fullmatch(argument)
        if long is not None:
            yield f"{long['name']}={_value(long['name'], long['value'])}"
        elif argument.startswith("--"):
            yield argument if re.fullmatch(r"--[a-z\-]*", argument) else REDACTED
            option = None if argument in _SWITCHES else argument
        elif argument.startswith("-"):
            glued, option = _short(argument)
            yield glued
        else:
            yield _plain(argument)  # the name of a playbook


def _short(argument: str) -> tuple[str, str | None]:
    """``-vvv``, ``-bK``, ``-ename=value``: the argument as it is shown, and the option that wants the next one."""
    for at in range(1, len(argument)):
        option = f"-{argument[at]}"
        if option in _SWITCHES:
            continue
        value = argument[at + 1 :]
        return (argument, option) if not value else (f"{argument[: at + 1]}{_value(option, value)}", None)
    return argument, None


def _value(option: str, value: str) -> str:
    if option in _VARIABLES:
        return _variables(value)
    return _plain(value) if option in _HARMLESS_OPTIONS else REDACTED


def _plain(value: str) -> str:
    """A value that may be shown; also of those, what holds an address with a login or a token is not."""
    if _PLAIN_VALUE.fullmatch(value) is None or "://" in value:
        return REDACTED
    return redacted(["", value])[1]


def _variables(text: str) -> str:
    """Extra variables: ``name=value ...``, a file (``@name``), or JSON. Names stay."""
    if text.startswith("@"):
        return _plain(text)
    if text.lstrip().startswith(("{", "[")):
        try:
            value: Any = json.loads(text)
        except ValueError:  # YAML, or no variables at all
            return REDACTED
        if not isinstance(value, dict):
            return REDACTED
        return json.dumps({name: _shown(name, one) for name, one in value.items()})
    try:
        words = shlex.split(text)
    except ValueError:  # a quote that is not closed
        return REDACTED
    assigned = [_ASSIGNED.fullmatch(word) for word in words]
    return " ".join(f"{one['name']}={_shown(one['name'], one['value'])}" if one else REDACTED for one in assigned)


def _shown(name: str, value: Any) -> Any:
    if name not in _HARMLESS_VARIABLES:
        return REDACTED
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, list):
        return [_shown(name, one) for one in value]
    if not isinstance(value, str):
        return REDACTED
    return value if name == _GAPS and _GAP.fullmatch(value) else _plain(value)
