# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be done about a finding that failed: declare it, except it for a time, close it. As data.

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
from .._inventory.placeholder import PROPOSED, PROPOSED_RAW, is_placeholder
from .._inventory.port_range import DYNAMIC, PortRange, is_by_owner, is_ephemeral
from .as_seen import address_text, owners_as_declared, proposed_entry, proposed_raw_entry
from .catalogue import CATALOGUE
from .closing import closing, told
from .finding import Finding
from .host_view import HostView, would_answer
from .service_rules import service_to_declare

#: How long the exception holds that is offered, from the audit's day to the first one on which it is expiring.
EXCEPTED_FOR = dt.timedelta(days=14)
_REVIEWED_AGAIN = dt.timedelta(days=365)
_EXCEPTIONS = "vigil_exceptions__temporary"
_NOBODY = "unassigned"
_CLIENTS = "vigil_ports__clients"

_MOVE = "fill in justification and owner, then move the entry to a layer of yours: that is the approval"


def _expires(view: HostView) -> str:
    """The last day of an exception that is offered. Pasted today, it is not yet one that expires soon."""
    return _day_after(view.today, EXCEPTED_FOR + dt.timedelta(days=view.expiring_days))


def _owner(owner: str | None) -> str:
    """The owner of an exception that is offered: a placeholder is refused outside of proposals."""
    return owner if owner and not is_template(owner) and not is_placeholder(owner) else _NOBODY


def _day_after(day: dt.date, later: dt.timedelta) -> str:
    """A later day as YYYY-MM-DD; the last one of the calendar where there is none."""
    return (day + min(later, dt.date.max - day)).isoformat()


@dataclasses.dataclass(frozen=True, slots=True)
class _Subject:
    """A failed finding with what it is about."""

    view: HostView
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


def with_ways_out(view: HostView, finding: Finding) -> Finding:
    """The finding with its ways out when it failed; any other as it is."""
    if finding.status != "fail":
        return finding
    declaration = _declaration(view, finding)
    subject = _Subject(view, finding, declaration, _listeners(view, finding, declaration))
    held = subject.listeners or subject.raw_sockets
    ways = {
        "declare": _DECLARE.get(finding.rule, _not_declared)(subject),
        "except": _EXCEPT.get(finding.rule, _excepted)(subject),
        "close": _NOT_CLOSED[finding.rule] if finding.rule in _NOT_CLOSED else closing(held),
    }
    return finding._replace(ways_out=ways)


def of_acceptances(finding: Finding) -> Finding:
    """The same for what is said of ``audit_accept_gaps``, which is of no host."""
    if finding.status != "fail":
        return finding
    note = "delete what is not there from audit_accept_gaps, or spell it as the reports show it"
    way = _way(None, None, note)
    return finding._replace(ways_out={"declare": way, "except": way, "close": told("nothing is there to close")})


def _declaration(view: HostView, finding: Finding) -> Declaration | None:
    if finding.place is None or CATALOGUE[finding.rule].case not in ("declaration", "review", "service"):
        return None
    every = (*view.inventory.declarations, *view.inventory.proposals)
    near = (one for one in every if one.place == finding.place and one.port.subject == finding.declared_port)
    return next(near, None)


def _listeners(view: HostView, finding: Finding, declaration: Declaration | None) -> Sequence[Listener]:
    """What listens where the finding says."""
    if finding.vantage is None and declaration is not None:
        covered = view.listeners_of(declaration)
        return [one for one in covered if finding.port in (one.port, declaration.port.subject)]
    namespace = finding.namespace or "host"
    if is_ephemeral(finding.port):
        return view.ephemeral.get((namespace, str(finding.protocol), str(finding.port)), ())
    if not isinstance(finding.port, int) or finding.protocol is None:
        return ()
    near = [one for one in view.listeners_on(finding.protocol, finding.port) if one.namespace == namespace]
    if finding.vantage is None:
        return [one for one in near if finding.address in (None, one.where)]
    return [one for one in near if would_answer(one, finding.address or "", view.own_addresses) is not False]


def _way(variable: str | None, entry: Mapping[str, Any] | None, note: str, place: str | None = None) -> dict[str, Any]:
    """A way that is pasted; ``place`` is the entry that it replaces. Without an entry the note says why."""
    if entry is not None and any(is_template(text) for text in _texts(entry)):
        return _way(None, None, "a text of the entry looks like a template of Ansible: write it by hand")
    return {"variable": variable, "entry": entry, "replaces": place, "note": note}


def _texts(entry: Mapping[str, Any]) -> list[str]:
    values = (value if isinstance(value, list) else [value] for value in entry.values())
    return [one for some in values for one in some if isinstance(one, str)]


def _not_declared(_subject: _Subject) -> dict[str, Any]:
    return _way(None, None, "no declaration answers for this; see the remedy")


def _newly_declared(subject: _Subject) -> dict[str, Any]:
    finding = subject.finding
    if is_ephemeral(finding.port):
        return _declared_dynamic(subject)
    reach = subject.is_open_from if (finding.namespace or "host") == "host" else []
    if finding.rule == "firewall-hole":
        reach = [str(finding.vantage)]
    entry = proposed_entry(
        str(finding.protocol),
        finding.port if finding.port is not None else 0,
        finding.namespace or "host",
        subject.listeners,
        service=subject.service,
        reachable_from=reach,
    )
    return _way(PROPOSED, entry, _MOVE)


def _raw_declared(subject: _Subject) -> dict[str, Any]:
    finding = subject.finding
    entry = proposed_raw_entry(str(finding.protocol), finding.namespace or "host", subject.raw_sockets)
    if entry is None:
        return _way(None, None, "who holds it is not known, or has no name that may be pasted: declare it by hand")
    return _way(PROPOSED_RAW, entry, _MOVE)


def _declared_dynamic(subject: _Subject) -> dict[str, Any]:
    """A declaration for whatever port the process takes. It cannot be a proposal, which has the port that was seen."""
    finding, seen = subject.finding, owners_as_declared(subject.listeners)
    if "process" not in seen and "unit" not in seen:
        return _way(None, None, "who asks from these ports has no one name that may be pasted: declare it by hand")
    namespace = {} if finding.namespace in (None, "host") else {"namespace": finding.namespace}
    told = {"justification": "asks from ports that the kernel picks", "owner": _NOBODY}
    entry = {"port": DYNAMIC, "protocol": finding.protocol, **namespace, **seen, "required": False, **told}
    return _way(_CLIENTS, entry, "name who answers for it: it is approved where it stands")


def _proposed_already(subject: _Subject) -> dict[str, Any]:
    return _way(None, None, f"it is proposed already at {subject.finding.place}: {_MOVE}")


def _corrected(change: Callable[[_Subject, Declaration], Mapping[str, Any]]) -> Callable[[_Subject], dict[str, Any]]:
    """The declaration of the finding with a change; nothing where the change is not known."""

    def correct(subject: _Subject) -> dict[str, Any]:
        declaration = subject.declaration
        changes = change(subject, declaration) if declaration else {}
        if declaration is None or not changes:
            return _way(None, None, "what is right is not known, or has no name that may be pasted: correct it by hand")
        entry = {key: value for key, value in {**_as_entry(declaration), **changes}.items() if value is not None}
        variable = declaration.place.split("[", 1)[0]
        port = subject.finding.port
        if isinstance(port, int) and isinstance(declaration.port, PortRange) and not declaration.port.is_single:
            note = f"beside {declaration.place}, as it goes before the range for this port; to be approved anew"
            return _way(variable, {**entry, "port": port}, note)
        note = f"in place of {declaration.place}, for this port; to be approved anew"
        return _way(variable, entry, note, declaration.place)

    return correct


def _as_entry(declaration: Declaration) -> dict[str, Any]:
    """The entry that would load as this declaration, but for its approval."""
    address = None if declaration.address.networks is None else str(declaration.address).split(", ")
    reach = "any" if declaration.reachable_from is None else sorted(declaration.reachable_from)
    return {
        "port": declaration.port.subject if isinstance(declaration.port, PortRange) else DYNAMIC,
        "protocol": declaration.protocol if declaration.protocol != "tcp" else None,
        "address": address,
        "interface": declaration.interface,
        "namespace": declaration.namespace if declaration.namespace != "host" else None,
        "service": declaration.service,
        "process": _one_or_all(declaration.process),
        "user": _one_or_all(declaration.user),
        "unit": declaration.unit,
        "reachable_from": reach or None,
        "required": None if declaration.required else False,
        "forwarded": declaration.forwarded or None,
        "justification": declaration.justification,
        "owner": declaration.owner,
        "review_by": declaration.review_by.isoformat() if declaration.review_by else None,
    }


def _one_or_all(values: Sequence[str]) -> str | list[str] | None:
    """As an entry holds them: one as itself, several as a list, none not at all."""
    return list(values) if len(values) > 1 else next(iter(values), None)


def _as_seen(subject: _Subject, declaration: Declaration) -> dict[str, Any]:
    seen = owners_as_declared(subject.listeners)
    named = {key for key in ("process", "user", "unit") if getattr(declaration, key)}
    return {key: seen.get(key) for key in named} if seen.keys() & named else {}


def _service_as_seen(subject: _Subject, _declaration: Declaration) -> dict[str, Any]:
    return {"service": subject.service} if subject.service else {}


def _reachable(subject: _Subject, declaration: Declaration) -> dict[str, Any]:
    return {"reachable_from": sorted({*(declaration.reachable_from or ()), str(subject.finding.vantage)})}


def _not_reachable(subject: _Subject, declaration: Declaration) -> dict[str, Any]:
    every = {target.vantage for target in subject.view.targets}
    reach = every if declaration.reachable_from is None else declaration.reachable_from
    return {"reachable_from": sorted(set(reach) - {str(subject.finding.vantage)})}


def _excepted(subject: _Subject) -> dict[str, Any]:
    view, finding = subject.view, subject.finding
    if finding.port is None:
        return _way(None, None, "an exception is for a port")
    if is_by_owner(finding.port):
        return _way(None, None, "an exception is for a port by its number, and this is known by who holds it")
    entry = {
        "port": finding.port,
        "protocol": finding.protocol if finding.protocol != "tcp" else None,
        "address": _excepted_address(finding),
        "namespace": finding.namespace if finding.namespace not in (None, "host") else None,
        "vantage": finding.vantage,
        "rules": [finding.rule],
        "reason": f"{CATALOGUE[finding.rule].title}; to be put right by then",
        "owner": _owner(finding.owner),
        "expires": _expires(view),
    }
    return _way(_EXCEPTIONS, {key: value for key, value in entry.items() if value is not None}, "say who approved it")


def _excepted_address(finding: Finding) -> str | None:
    """The address of the finding as an exception takes it: no wider than what was found."""
    if finding.address is None:
        return None
    text, _percent, device = finding.address.partition("%")
    address = address_of(text)
    return "loopback" if device == "lo" or address.is_loopback else address_text(address)


def _prolonged(subject: _Subject) -> dict[str, Any]:
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
    return _way(place.split("[", 1)[0], entry, f"in place of {place}, for this port; to be approved anew", place)


_DECLARE: Mapping[str, Callable[[_Subject], dict[str, Any]]] = {
    "undeclared-listener": _newly_declared,
    "undeclared-exposure": _newly_declared,
    "firewall-hole": _newly_declared,
    "unapproved": _proposed_already,
    "missing-listener": _corrected(lambda _subject, _declaration: {"required": False}),
    "wrong-owner": _corrected(_as_seen),
    "wrong-service": _corrected(_service_as_seen),
    "forbidden-exposure": _corrected(_reachable),
    "blocked-service": _corrected(_not_reachable),
    "undeclared-raw-socket": _raw_declared,
    "review-overdue": _corrected(
        lambda subject, _declaration: {"review_by": _day_after(subject.view.today, _REVIEWED_AGAIN)}
    ),
}
_EXCEPT: Mapping[str, Callable[[_Subject], dict[str, Any]]] = {
    "hidden-listener": lambda _subject: _way(None, None, "who hides a listener is to be found out, not excused"),
    "exception-expired": _prolonged,
    "exception-expiring": _prolonged,
    "too-broad": lambda subject: _way(
        None, None, f"narrow {subject.finding.place}: no exception excuses what is too wide"
    ),
    "exception-unused": lambda subject: _way(None, None, f"delete {subject.finding.place}: nothing needs it"),
}
_NOT_CLOSED: Mapping[str, dict[str, Any]] = {
    "missing-listener": told("nothing listens there"),
    "firewall-hole": told("nothing listens there: it is the firewall's rule that is to be closed"),
    "open-without-listener": told("nothing that the host lists answers there: look for what forwards the port"),
    "hidden-listener": told("the host does not show what holds the port: isolate the host"),
    "blocked-service": told("it is to be open"),
    "exception-unused": told("nothing is there to close"),
    "too-broad": told("it is the approval that is to be narrowed"),
}
