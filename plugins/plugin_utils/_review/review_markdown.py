# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The review sheet: what somebody who answers for declarations goes through. Private to the collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from .._reports.markdown_text import code, names, table
from .review_run import Review
from .use import Use

_HEAD = (
    "port",
    "hosts",
    "in use",
    "last in use",
    "declared for",
    "open from",
    "owner",
    "approved by",
    "review by",
    "why",
    "place",
)
_MOST_HOSTS = 5


def review_lines(review: Review) -> Iterator[str]:
    """The sheet line by line, without line ends."""
    uses = review.uses.rows()
    yield "# Review of the declared ports"
    yield ""
    counts = f"{len(uses)} declarations, {len(review.uses.exceptions())} exceptions"
    yield f"As of {code(review.today.isoformat())}, from run {code(review.run_id)}: {counts}."
    yield ""
    if review.left_out:
        yield "This run did not look at everything, and this sheet says nothing of what it left out:"
        yield ""
        yield from (f"- {code(text, 400)}" for text in review.left_out)
        yield ""
    if review.history != "ok":
        yield f"Earlier runs are not known ({code(review.history)}): since when something is not in use cannot be told."
        yield ""
    if review.uses.not_judged:
        hosts = review.uses.not_judged
        yield f"Hosts whose declarations are not known or not valid, and so not here: {len(hosts)}: {names(hosts)}."
        yield ""
    for title, about, wanted in _SECTIONS:
        rows = [use for use in uses if wanted(use, review)]
        yield f"## {title} ({len(rows)})"
        yield ""
        if rows:
            yield about.format(days=review.unused_days)
            yield ""
        yield from table(_HEAD, (_row(use, review) for use in rows))
    yield from _exceptions(review)


def _is_overdue(use: Use, review: Review) -> bool:
    due = use.declaration.review_by
    return due is not None and due < review.today


def _has_no_approval(use: Use, _review: Review) -> bool:
    return use.is_proposal or use.declaration.approved_by is None


_SECTIONS: tuple[tuple[str, str, Callable[[Use, Review], bool]], ...] = (
    (
        "Proposed for removal",
        "Nothing has used these for {days} days and more, on any host. Remove the entry, or say why it stays.",
        lambda use, review: use.may_go(review.today, review.unused_days),
    ),
    ("Review overdue", "Confirm each, and set a new `review_by`.", _is_overdue),
    (
        "Without approval",
        "Nobody is named who approved these; proposals of a baseline are among them.",
        _has_no_approval,
    ),
    (
        "All declarations",
        "The same entry of the same layer is one row, however many hosts have it.",
        lambda _use, _review: True,
    ),
)


def _row(use: Use, review: Review) -> tuple[str, ...]:
    one = use.declaration
    where = "" if str(one.address) == "any" else f" at {code(one.address)}"
    inside = f" in {code(one.namespace)}" if one.namespace != "host" else ""
    who = ", ".join(code(text) for text in (one.service, one.process, one.user, one.unit) if text)
    reach = "any" if one.reachable_from is None else names(sorted(one.reachable_from)) or "none"
    change = f" ({code(one.change)})" if one.change else ""
    return (
        f"{code(f'{one.protocol}/{one.port}')}{where}{inside}{f' {who}' if who else ''}",
        f"{len(use.hosts)}: {names(use.hosts, _MOST_HOSTS)}",
        f"{len(use.in_use)}{f', not known on {len(use.unknown)}' if use.unknown else ''}",
        _last_in_use(use),
        reach,
        names(sorted(use.open_from)) or "none",
        code(one.owner),
        "proposed, nobody" if use.is_proposal else f"{code(one.approved_by)}{change}" if one.approved_by else "nobody",
        _due(one.review_by, review.today),
        code(one.justification),
        code(one.place),
    )


def _last_in_use(use: Use) -> str:
    if use.in_use:
        return "now"
    since = use.unused_since()
    return "not known" if since is None else f"not since {code(since.isoformat())}"


def _due(day: dt.date | None, today: dt.date) -> str:
    if day is None:
        return "never"
    left = (day - today).days
    return f"{code(day.isoformat())}, {f'{-left} days ago' if left < 0 else f'in {left} days'}"


def _exceptions(review: Review) -> Iterator[str]:
    yield f"## Exceptions ({len(review.uses.exceptions())})"
    yield ""
    rows = review.uses.exceptions()
    yield from table(
        ("port", "hosts", "expires", "reason", "owner", "approved by", "place"),
        (
            (
                code(f"{one.protocol}/{one.port}"),
                f"{len(hosts)}: {names(hosts, _MOST_HOSTS)}",
                _due(one.expires, review.today),
                code(one.reason),
                code(one.owner),
                code(one.approved_by) or "nobody",
                code(one.place),
            )
            for one, hosts in rows
        ),
    )
