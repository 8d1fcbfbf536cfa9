# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which variables decide, and that none of them comes from a host. Pure. This module is private to the collection.

Ansible makes a variable of each fact, and it stands before the inventory, role defaults and group variables. A host
chooses its facts: whatever a module returns from there, or a cache kept of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from .._inventory.loader import is_inventory_variable
from .._inventory.problem import Problem

#: How names of variables begin that the roles and playbooks read.
PREFIXES = ("audit_", "baseline_", "change_", "import_", "notify_", "review_", "schedule_", "vigil_")
#: Those of the playbooks that have no prefix.
BARE = frozenset(("allowed_signers", "change", "finding", "host", "into", "port", "run_dir", "signer", "unused_days"))
#: What Ansible says of a host by itself, and lets facts stand before. The evidence of a host is kept under its name,
#: and proposals are written into the directory of its inventory.
OF_ANSIBLE = frozenset(
    ("group_names", "inventory_dir", "inventory_file", "inventory_hostname", "inventory_hostname_short")
)

#: What each host may say for itself; all other settings are one for the run.
OF_EACH_HOST = frozenset(("audit_namespaces", "audit_owners", "audit_packages"))
#: The settings of a run, beside those that the action ``run`` names.
OF_THE_RUN = (
    "audit_answer_timeout",
    "audit_date",
    "audit_history",
    "audit_history_keep_days",
    "audit_history_url",
    "audit_label",
    "audit_merge",
    "audit_merge_allowed_signers",
    "audit_merge_max_age",
    "audit_merge_parts",
    "audit_merge_signer",
    "audit_metrics_file",
    "audit_part",
    "audit_part_archive_dir",
    "audit_part_inside",
    "audit_part_vantages",
    "audit_report_dir",
    "audit_signing_key",
    "change",
    "change_again",
    "change_nothing",
    "change_since",
    "change_take_over",
    "notify_channels",
    "notify_min_severity",
    "notify_remind_after",
    "notify_report_url",
    "notify_retries",
    "notify_timeout",
    "vigil_vantages",
)
#: The settings of a baseline.
OF_A_BASELINE = (
    "audit_report_dir",
    "baseline_dir",
    "baseline_fresh",
    "baseline_owner",
    "baseline_patch",
    "baseline_share",
    "import_file",
    "import_format",
    "import_host",
    "import_vantage",
    "run_dir",
)
#: Settings whose values may hold a password or a token.
SECRET = frozenset(("audit_history_url", "notify_channels", "notify_report_url"))


def is_declaration(name: str) -> bool:
    """True for what a host declares: its ports, its exceptions, its addresses, and what was meant to be one of them."""
    return is_inventory_variable(name) and name != "vigil_vantages"


def declarations_among(facts: Iterable[str]) -> list[str]:
    """Names among facts that would declare something."""
    return sorted(filter(is_declaration, map(str, facts)))


def fact_problem(name: str) -> Problem:
    """What is wrong with a fact that would declare something for its host."""
    message = "a fact of the host has the name of a declaration; no host says what may be open on it"
    return Problem(name, "a fact", message, "the inventory, the play or the command line, and no fact of that name")


def address_problem(name: str) -> Problem:
    """What is wrong with addresses that are made of facts: a scanner would be sent wherever the host says."""
    message = "it is made of facts, which come from the host; no address is scanned on the word of a host"
    return Problem(name, "a template", message, "addresses that the inventory writes out")


def settings_among(facts: Iterable[str]) -> list[str]:
    """Names among facts that would set something, or say that the host is another."""
    return sorted(name for name in map(str, facts) if _sets(name) and not is_declaration(name))


def _sets(name: str) -> bool:
    return name.startswith(PREFIXES) or name in BARE or name in OF_ANSIBLE


def refusal(claims: Mapping[str, Collection[str]], most: int = 5) -> str | None:
    """Why nothing is done where the facts of some hosts name settings; None where none do."""
    hosts = [host for host, names in claims.items() if names]
    if not hosts:
        return None
    said = "; ".join(f"{host}: {', '.join(sorted(claims[host])[:most])}" for host in hosts[:most])
    more = f"; and {len(hosts) - most} more hosts" if len(hosts) > most else ""
    return (
        f"facts name variables that decide ({said}{more}). Facts come from the host, and Ansible takes them before the"
        " inventory; no host sets what it is judged by. Find out why it does. Where a playbook of your own sets them,"
        " leave out cacheable; then clear the facts (meta: clear_facts, or ansible-playbook --flush-cache)"
    )
