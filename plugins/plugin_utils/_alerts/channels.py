# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is told where: channels as an operator writes them, with their URLs, which are secrets.

Nothing here shows a URL or a part of it but its scheme, and that only where it is the name of a service. This
module is private to the collection.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

try:
    import apprise
except ImportError as error:
    APPRISE_IMPORT_ERROR: ImportError | None = error
else:
    APPRISE_IMPORT_ERROR = None

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_KEYS = ("name", "owners", "urls")


class Target(NamedTuple):
    """One URL of one channel. ``name`` is how reports speak of it."""

    name: str
    service: Any

    def __repr__(self) -> str:
        return f"Target({self.name!r})"


@dataclasses.dataclass(frozen=True)
class Channel:
    """Where some owners are told; without owners: where everybody else is."""

    name: str
    owners: frozenset[str]
    targets: tuple[Target, ...]


class Channels:
    """All channels; at least one of them is for everybody else."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = channels
        self.targets: dict[str, Target] = {one.name: one for channel in channels for one in channel.targets}

    def of(self, owner: str | None) -> list[str]:
        """The names of the targets of an owner, each URL once."""
        own = [channel for channel in self._channels if owner in channel.owners]
        chosen = own or [channel for channel in self._channels if not channel.owners]
        by_url = {target.service.url(privacy=False): target.name for channel in chosen for target in channel.targets}
        return sorted(by_url.values())


def read_channels(value: object, timeout: int) -> tuple[Channels, list[str]]:
    """The channels, and every problem in them by its place. The channels hold what has no problem.

    ``value`` is in exact JSON types. ``timeout`` is in seconds, for connecting and for each answer.
    """
    if not isinstance(value, list) or not value:
        return Channels(()), [f"notify_channels: not a list of channels; each has {', '.join(_KEYS)}"]
    problems: list[str] = []
    channels = []
    silence()
    for place, entry in enumerate(value):
        found = list(_problems(f"notify_channels[{place}]", entry))
        problems += found
        if not found:
            channels.append(_channel(entry, timeout))
    used = [channel.name for channel in channels]
    twice = sorted(name for name in set(used) if used.count(name) > 1)
    problems += [f"notify_channels: the name {name} stands twice" for name in twice]
    if not problems and all(channel.owners for channel in channels):
        problems.append(
            "notify_channels: no channel is for everybody else: what nobody declared has no owner, and would be "
            "told to nobody; leave out owners of one of them"
        )
    return Channels(channels), problems


def _problems(place: str, entry: object) -> Iterator[str]:
    """What is wrong in a channel. Of values nothing is shown: any of them may be a URL in the wrong place."""
    if not isinstance(entry, Mapping):
        yield f"{place}: not a mapping with {', '.join(_KEYS)}"
        return
    if set(entry) - set(_KEYS):
        yield f"{place}: has a key that is not known; allowed are {', '.join(_KEYS)}"
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"{place}.name: 1 to 40 letters, digits, '_', '.' and '-' are needed; by it reports speak of the channel"
    owners = entry.get("owners", [])
    if not isinstance(owners, list) or not all(isinstance(owner, str) and owner for owner in owners):
        yield f"{place}.owners: not a list of owners as declarations name them; left out, it is for everybody else"
    urls = entry.get("urls")
    if not isinstance(urls, list) or not urls:
        yield f"{place}.urls: a list with at least one URL of Apprise is needed"
        return
    for number, url in enumerate(urls):
        if not isinstance(url, str) or _service(url) is None:
            yield (
                f"{place}.urls[{number}]: {_kind(url)}, and Apprise cannot use it; its form for each service is in the "
                "documentation of Apprise. The URL is a secret and not shown"
            )


def _kind(url: object) -> str:
    """What a URL is, as far as it can be said: the name of a service, and nothing that the operator wrote."""
    if not isinstance(url, str):
        return "not a text"
    scheme, colon, _rest = url.strip().partition("://")
    services: Any = apprise.manager_plugins.NotificationManager
    known = scheme.lower() in set(services().schemas())
    return f"a URL of {scheme.lower()}://" if colon and known else "no URL of a service that Apprise knows"


def _channel(entry: Mapping[str, Any], timeout: int) -> Channel:
    targets = []
    for number, url in enumerate(entry["urls"]):
        service = _service(url)
        service.socket_connect_timeout = service.socket_read_timeout = float(timeout)
        targets.append(Target(f"{entry['name']}[{number}]", service))
    return Channel(entry["name"], frozenset(entry.get("owners", [])), tuple(targets))


def _service(url: str) -> Any:
    """The service of Apprise that a URL stands for; None when it cannot be used."""
    asset = apprise.AppriseAsset(
        app_id="vigil.ports", app_desc="vigil.ports", async_mode=False, storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    return apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)


def silence(*listeners: logging.Handler) -> None:
    """Keeps what Apprise and its HTTP library log from the screen and from any file: it may hold parts of URLs.

    Only ``listeners`` hear it. It stays so: a thread that was given up may still log.
    """
    for name in ("apprise", "urllib3", "requests"):
        logger = logging.getLogger(name)
        logger.propagate, logger.handlers = False, [logging.NullHandler(), *listeners]


def names(targets: Iterable[str]) -> str:
    """Names of targets for a sentence."""
    return ", ".join(sorted(set(targets)))
