# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command lines without their secrets.

Secrets do not belong on a command line, where every user of the host can read them; yet they are there.
What looks like one is replaced before the command line leaves the host. It is a net with known holes: a
bare password in a position that only its program knows cannot be told.

The text is hostile: each pattern is tried at the start of a word only, so that none needs quadratic time.
This module is private to the collection.
"""

from __future__ import annotations

import re
import shlex
from typing import Sequence

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"(?<!by)(?<!com)pass(?!ive|port|enger|through)|pwd|(?<![a-z])(?:pw|pin|otp|jwt|sig|sas)(?![a-z])|signature\Z|secret|"
    r"token(?!i[sz])|credential|cookie|bearer|psk|authorization|auth(?![a-z])|"
    r"(?:api|access|private|auth|account|encryption|signing|shared|license)[_-]?key|web_?hook",
    re.IGNORECASE,
)
# What switches something on or off is no secret, whatever the name: PasswordAuthentication=no.
_SWITCH = re.compile(r"(?:yes|no|true|false|on|off|none|null|prompt|ask)\Z", re.IGNORECASE)
# Such options say where a secret is, or how it is asked for: the value is a path or a word.
_TELLS_WHERE = re.compile(
    r"[_.\-](?:file|path|dir|directory|store|type|length|policy|fd|cmd|command|url|uri|endpoint|port)\Z", re.IGNORECASE
)
_WHOLE = re.compile(r"(?P<name>[\w.\-/]+)(?P<sign>=)(?P<value>.+)", re.DOTALL)
_ASSIGNMENT = re.compile(r"(?<![\w.\-])(?P<name>[\w.\-]+)\\{0,8}[\"']?\s{0,8}[:=]\s{0,8}")
# A text in quotes ends where a quote is not escaped; a list or a mapping is one value; so is "a,b".
_VALUE = re.compile(
    r"\[[^\]]*\]?|\{[^}]*\}?|\\?\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\s&;\"'}\]]+(?:\\?[\"'][^\s&;]*)?", re.DOTALL
)
_SPACED = re.compile(r"(?<!\S)(?P<name>--?[\w.\-]+)(?P<sign>\s{1,8})(?P<value>[^\s-]\S*)")
# A password may hold what ends the place of a login (RFC 3986): / ? #. A port and a path with an @ are none.
_USERINFO = re.compile(
    r"(?<![a-z0-9+.\-])(?P<scheme>[a-z][a-z0-9+.\-]{0,40}://)"
    r"(?:[^\s/?#:@\"']{0,256}:(?!\d{1,5}(?:[/?#]|\Z))[^\s\"']{0,1024}@|[^\s/?#]{0,1024}@)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\b(?P<name>(?:proxy-)?authorization|x-[\w-]{0,40}(?:key|token|auth)|cookie)(?P<sign>\s{0,8}:\s{0,8}).+",
    re.IGNORECASE | re.DOTALL,
)
_BEARER = re.compile(r"\b(?P<name>bearer|basic)(?P<sign>\s{1,8})[A-Za-z0-9._~+/=\-]{8,}", re.IGNORECASE)
# Tokens that are known by how they begin (the vendors publish these for secret scanners).
_TOKENS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w\-]{16,}|"
    r"\bxox[abeprs]-[\w\-]{10,}|\bsk-[A-Za-z0-9_\-]{20,}|\bhv[sb]\.[\w\-]{20,}|"
    # Webhooks: the path is the secret.
    r"(?<=hooks\.slack\.com/services/)[\w/]+|(?<=/hooks/)[^\s\"']+|(?<=/webhooks/)[^\s\"']+|(?<=/webhook/)[^\s\"']+|"
    r"(?<=/webhookb2/)[^\s\"']+|(?<=/api\.telegram\.org/bot)[^\s\"'/]+|"
    r"(?<![\w\-])eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*",
    re.DOTALL,
)
_USER_AND_PASSWORD = ("-u", "-U", "--user", "--proxy-user", "--login")
_USER = re.compile(r"(?P<option>(?:-[uU]|--(?:user|proxy-user|login)=)?)(?P<user>[^\s:%/]{1,64}[:%])(?P<password>\S+)")
# Programs whose short option takes the password, as its own argument or glued to it.
_SHORT_OPTIONS = {
    "-p": re.compile(r"(?:mysql|mariadb)[\w.\-]*|sshpass|mongo(?:d|s|sh|dump|restore)?|7z[ar]?|ftp|ncftp\w*|rdesktop"),
    "-a": re.compile(r"redis-(?:cli|benchmark)"),
    "-P": re.compile(r"zip|unzip|sqlcmd|bcp"),
    "-w": re.compile(r"ldap\w+"),
    "-k": re.compile(r"openssl"),
    "-b": re.compile(r"curl"),
    "-c": re.compile(r"snmp(?!d)\w+"),
    "-A": re.compile(r"snmp(?!d)\w+"),
    "-X": re.compile(r"snmp(?!d)\w+"),
    "-pw": re.compile(r"plink|pscp|psftp|putty"),
    "/p:": re.compile(r"[xw]lfreerdp|xfreerdp\d?|sdl-freerdp"),
}
_ANY_PROGRAM = re.compile("|".join(programs.pattern for programs in _SHORT_OPTIONS.values()))
_SHELL_WORD = re.compile(r"[^\s;|&()]+")
# Oracle's own way: user/password@database.
_ORACLE = re.compile(r"(?P<name>\bjdbc:oracle:\w{1,10}:[^\s/@]{1,64}/)[^\s@]+(?=@)")
_ORACLE_PROGRAM = re.compile(r"sqlplus|sqlldr|rman|expd?p?|impd?p?")
_ORACLE_LOGIN = re.compile(r"(?P<user>\w{1,64}/)[^\s/@]+(?P<rest>@\S*)?")


def shown_command(arguments: Sequence[str], redact: bool) -> str:
    """One line, each argument quoted as a shell would need it.

    A single argument is shown as it is: servers write a whole title there (``nginx: worker process``).
    """
    shown = redacted(arguments) if redact else arguments
    return shown[0] if len(shown) == 1 else " ".join(shlex.quote(argument) for argument in shown)


def redacted(arguments: Sequence[str]) -> list[str]:
    """The arguments with what looks like a secret replaced by ``[redacted]``."""
    program = arguments[0].rpartition("/")[2] if arguments else ""
    shown: list[str] = []
    option: str | None = None  # the one before, which may want a value
    for argument in arguments:
        if option is not None and not argument.startswith("--"):
            shown.append(_value_of(option, argument, program))
        else:
            shown.append(_glued(argument, program) or _within(argument))
        is_option = argument.startswith("-") and "=" not in argument and shown[-1] == argument
        option = argument if is_option else None
    return shown


def _value_of(option: str, value: str, program: str) -> str:
    if _takes_password(option, program):
        return REDACTED
    if option.startswith("-") and _is_secret(option) and not _SWITCH.match(value):
        return REDACTED
    if option in _USER_AND_PASSWORD and "://" not in value:
        user = _USER.fullmatch(value)
        if user is not None:
            return f"{user['user']}{REDACTED}"
    return _glued(value, program) or _within(value)


def _takes_password(option: str, program: str) -> bool:
    return option in _SHORT_OPTIONS and _SHORT_OPTIONS[option].fullmatch(program) is not None


def _glued(argument: str, program: str) -> str | None:
    """An option and its secret in one argument, or the login of a program that takes both in one."""
    for option in (argument[:2], argument[:3]):
        if len(argument) > len(option) and _takes_password(option, program):
            return f"{option}{REDACTED}"
    user = _USER.fullmatch(argument)
    if user is not None and user["option"] and "://" not in argument:
        return f"{user['option']}{user['user']}{REDACTED}"
    login = _ORACLE_LOGIN.fullmatch(argument) if _ORACLE_PROGRAM.fullmatch(program) else None
    return f"{login['user']}{REDACTED}{login['rest'] or ''}" if login is not None else None


def _commands_within(text: str) -> str:
    """A command line inside one argument, as a shell is given it: ``mysql -psecret`` after ``sh -c``."""
    shown: list[str] = []
    at = 0
    program = ""
    option: str | None = None
    for word in _SHELL_WORD.finditer(text):
        between, argument = text[at : word.start()], word[0]
        name = argument.rpartition("/")[2]
        if _ANY_PROGRAM.fullmatch(name) or between.strip():
            program, option = name, None
        hidden = argument
        if program and option is not None and (_takes_password(option, program) or option in _USER_AND_PASSWORD):
            hidden = _value_of(option, argument, program)
        elif program:
            hidden = _glued(argument, program) or argument
        shown += [between, hidden]
        option = argument if argument.startswith("-") and hidden == argument else None
        at = word.end()
    return "".join(shown) + text[at:]


def _is_secret(name: str) -> bool:
    is_webhook = "webhook" in name.lower().replace("_", "").replace("-", "")  # its address is the secret
    return is_webhook or (_SECRET_NAME.search(name) is not None and _TELLS_WHERE.search(name) is None)


def _within(text: str) -> str:
    """Secrets inside one argument: assignments, URLs, headers; a process may also have written all into one."""
    whole = _WHOLE.fullmatch(text)
    if whole and _is_secret(whole["name"]):
        return text if _SWITCH.match(whole["value"]) else _hidden_value(whole)
    if " " in text:
        text = _commands_within(text)
    text = _ORACLE.sub(rf"\g<name>{REDACTED}", text)
    text = _USERINFO.sub(rf"\g<scheme>{REDACTED}@", text)
    text = _TOKENS.sub(REDACTED, text)
    text = _HEADER.sub(rf"\g<name>\g<sign>{REDACTED}", text)
    text = _BEARER.sub(rf"\g<name>\g<sign>{REDACTED}", text)
    return _SPACED.sub(_hidden_if_secret, _without_assigned(text))


def _without_assigned(text: str) -> str:
    """The value of a harmless name is looked into: ``url=http://x/?token=...``."""
    shown: list[str] = []
    at = 0
    while True:
        start = _ASSIGNMENT.search(text, at)
        if start is None:
            break
        shown.append(text[at : start.end()])
        at = start.end()
        value = _VALUE.match(text, at) if _is_secret(start["name"]) else None
        if value is not None:
            shown.append(value[0] if _SWITCH.match(value[0]) else REDACTED)
            at = value.end()
    return "".join(shown) + text[at:]


def _hidden_if_secret(match: re.Match[str]) -> str:
    return _hidden_value(match) if _is_secret(match["name"]) and not _SWITCH.match(match["value"]) else match[0]


def _hidden_value(match: re.Match[str]) -> str:
    return f"{match['name']}{match['sign']}{REDACTED}"
