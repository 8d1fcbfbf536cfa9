# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All rules, in the order in which they are asked and printed. This module is private to the collection."""

from __future__ import annotations

from ..rule import Rule
from . import (
    acceptance_unused,
    blocked_service,
    exception_expired,
    exception_expiring,
    exception_unused,
    firewall_hole,
    forbidden_exposure,
    hidden_listener,
    missing_listener,
    not_assessed,
    open_without_listener,
    review_overdue,
    too_broad,
    unapproved,
    undeclared_exposure,
    undeclared_listener,
    undeclared_raw_socket,
    wrong_owner,
    wrong_service,
)

RULES: tuple[Rule, ...] = (
    undeclared_listener.RULE,
    missing_listener.RULE,
    undeclared_raw_socket.RULE,
    wrong_owner.RULE,
    wrong_service.RULE,
    undeclared_exposure.RULE,
    forbidden_exposure.RULE,
    blocked_service.RULE,
    open_without_listener.RULE,
    hidden_listener.RULE,
    firewall_hole.RULE,
    unapproved.RULE,
    exception_expired.RULE,
    exception_expiring.RULE,
    exception_unused.RULE,
    review_overdue.RULE,
    too_broad.RULE,
    acceptance_unused.RULE,
    not_assessed.RULE,
)

#: The rules by their ids.
CATALOGUE = {rule.id: rule for rule in RULES}
