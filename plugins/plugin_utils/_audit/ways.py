# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways out of a failed finding that rules share: declare it, except it for a time, close it. As data.

An entry is what somebody would write, below the variable of that name. What is corrected stands in place of
an entry that is there, and its approval is gone with what was approved. This module is private to the
collection.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._evidence.observed import Listener, address_of
from .._evidence.raw_sockets import RawSocket
from .._inventory.declared import Declaration
from .._inventory.pasteable import is_template
from .._inventory.placeholder import PROPOSED, is_placeholder
from .._inventory.port_range import DYNAMIC, PortRange, is_by_owner, is_ephemeral
from .as_seen import address_text, as_entry, owners_as_declared, proposed_entry
from .closing import closing, told
from .finding import Finding
from .host_view import HostView
from .rule import Rule, Way
from .services import service_to_declare

#: How long the exception holds that is offered, from the audit's day to the first one on which it is expiring.
EXCEPTED_FOR = dt.timedelta(days=14)
_EXCEPTIONS = "vigil_exceptions__temporary"
_NOBODY = "unassigned"
_CLIENTS = "vigil_ports__clients"

MOVE = "fill in justification and owner, then move the entry to a layer of yours: that is the approval"


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """A failed finding with what it is about."""

    view: HostView
    rule: Rule
    finding: Finding
    declaration: Declaration | None
    listeners: Sequence[Listener]

    @property
    def is_open_from(self) -> list[str]:
        """The vantage points that saw the port open."""
        seen = self.view.endpoints_on(self.finding.protocol, self.finding.port)
        return sorted({vantage for vantage, one in seen if one.state == "open"})

    @property
    def raw_sockets(self) -> Sequence[RawSocket]:
        """The packet and raw sockets that the finding is about."""
        subject = (str(self.finding.namespace), str(self.finding.protocol), str(self.finding.port))
        return self.view.undeclared_raw_sockets.get(subject, ())

    @property
    def service(self) -> str | None:
        """The service that scans identified on the port, when they agree."""
        seen = self.view.endpoints_on(self.finding.protocol, self.finding.port)
        names = {service_to_declare(one.service) for _vantage, one in seen} - {None}
        return names.pop() if len(names) == 1 else None


def way(variable: str | None, entry: Mapping[str, Any] | None, note: str, place: str | None = None) -> dict[str, Any]:
    """A way that is pasted; ``place`` is the entry that it replaces. Without an entry the note says why."""
    if entry is not None and any(is_template(text) for text in _texts(entry)):
        return way(None, None, "a text of the entry looks like a template of Ansible: write it by hand")
    return {"variable": variable, "entry": entry, "replaces": place, "note": note}


def _texts(entry: Mapping[str, Any]) -> list[str]:
    values = (value if isinstance(value, list) else [value] for value in entry.values())
    return [one for some in values for one in some if isinstance(one, str)]


def no_entry(note: str) -> Way:
    """No entry helps, and why; ``{place}`` in it is where the finding's declaration or exception stands."""
    return lambda subject: way(None, None, note.format(place=subject.finding.place))


def not_closed(note: str) -> Way:
    """No command closes it, and why."""
    return lambda _subject: told(note)


def by_stopping(subject: Subject) -> dict[str, Any]:
    """Stop what listens, or takes packets, where the finding says."""
    return closing(subject.listeners or subject.raw_sockets)


not_declared = no_entry("no declaration answers for this; see the remedy")


def newly_declared(subject: Subject, reach: Sequence[str] | None = None) -> dict[str, Any]:
    """A proposal of what was found, reachable from where it is open, or from ``reach``."""
    finding = subject.finding
    if is_ephemeral(finding.port):
        return _declared_dynamic(subject)
    if reach is None:
        reach = subject.is_open_from if (finding.namespace or "host") == "host" else []
    entry = proposed_entry(
        str(finding.protocol),
        finding.port if finding.port is not None else 0,
        finding.namespace or "host",
        subject.listeners,
        service=subject.service,
        reachable_from=reach,
    )
    return way(PROPOSED, entry, MOVE)


def _declared_dynamic(subject: Subject) -> dict[str, Any]:
    """A declaration for whatever port the process takes. It cannot be a proposal, which has the port that was seen."""
    finding, seen = subject.finding, owners_as_declared(subject.listeners)
    if "process" not in seen and "unit" not in seen:
        return way(None, None, "who asks from these ports has no one name that may be pasted: declare it by hand")
    namespace = {} if finding.namespace in (None, "host") else {"namespace": finding.namespace}
    told = {"justification": "asks from ports that the kernel picks", "owner": _NOBODY}
    entry = {"port": DYNAMIC, "protocol": finding.protocol, **namespace, **seen, "required": False, **told}
    return way(_CLIENTS, entry, "name who answers for it: it is approved where it stands")


def corrected(change: Callable[[Subject, Declaration], Mapping[str, Any]]) -> Way:
    """The declaration of the finding with a change; nothing where the change is not known."""

    def correct(subject: Subject) -> dict[str, Any]:
        declaration = subject.declaration
        changes = change(subject, declaration) if declaration else {}
        if declaration is None or not changes:
            return way(None, None, "what is right is not known, or has no name that may be pasted: correct it by hand")
        entry = {key: value for key, value in {**as_entry(declaration), **changes}.items() if value is not None}
        variable = declaration.place.split("[", 1)[0]
        port = subject.finding.port
        if isinstance(port, int) and isinstance(declaration.port, PortRange) and not declaration.port.is_single:
            note = f"beside {declaration.place}, as it goes before the range for this port; to be approved anew"
            return way(variable, {**entry, "port": port}, note)
        note = f"in place of {declaration.place}, for this port; to be approved anew"
        return way(variable, entry, note, declaration.place)

    return correct


def by_exception(subject: Subject) -> dict[str, Any]:
    view, finding = subject.view, subject.finding
    if finding.port is None:
        return way(None, None, "an exception is for a port")
    if is_by_owner(finding.port):
        return way(None, None, "an exception is for a port by its number, and this is known by who holds it")
    entry = {
        "port": finding.port,
        "protocol": finding.protocol if finding.protocol != "tcp" else None,
        "address": _excepted_address(finding),
        "namespace": finding.namespace if finding.namespace not in (None, "host") else None,
        "vantage": finding.vantage,
        "rules": [finding.rule],
        "reason": f"{subject.rule.title}; to be put right by then",
        "owner": _owner(finding.owner),
        "expires": _expires(view),
    }
    return way(_EXCEPTIONS, {key: value for key, value in entry.items() if value is not None}, "say who approved it")


def _excepted_address(finding: Finding) -> str | None:
    """The address of the finding as an exception takes it: no wider than what was found."""
    if finding.address is None:
        return None
    text, _percent, device = finding.address.partition("%")
    address = address_of(text)
    return "loopback" if device == "lo" or address.is_loopback else address_text(address)


def prolonged(subject: Subject) -> dict[str, Any]:
    finding, view = subject.finding, subject.view
    approval = finding.exception or {}
    entry = {
        "port": finding.port,
        "protocol": finding.protocol if finding.protocol != "tcp" else None,
        "address": finding.declared_address.split(", ") if finding.declared_address else None,
        "namespace": finding.namespace if finding.namespace != "host" else None,
        "vantage": finding.vantage,
        "rules": approval["rules"].split(", ") if approval.get("rules") else None,
        "reason": approval["reason"],
        "owner": approval["owner"],
        "expires": _expires(view),
    }
    entry = {key: value for key, value in entry.items() if value is not None}
    place = str(finding.place)
    return way(place.split("[", 1)[0], entry, f"in place of {place}, for this port; to be approved anew", place)


def _expires(view: HostView) -> str:
    """The last day of an exception that is offered. Pasted today, it is not yet one that expires soon."""
    return day_after(view.today, EXCEPTED_FOR + dt.timedelta(days=view.expiring_days))


def _owner(owner: str | None) -> str:
    """The owner of an exception that is offered: a placeholder is refused outside of proposals."""
    return owner if owner and not is_template(owner) and not is_placeholder(owner) else _NOBODY


def day_after(day: dt.date, later: dt.timedelta) -> str:
    """A later day as YYYY-MM-DD; the last one of the calendar where there is none."""
    return (day + min(later, dt.date.max - day)).isoformat()
