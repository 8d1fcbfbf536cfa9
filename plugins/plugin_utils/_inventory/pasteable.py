# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names may stand in what people paste: variables files and command lines. Private to the collection.

Who starts a process names it. In a variables file ``{{ lookup('pipe', ...) }}`` is run by Ansible on the
control node, and in a shell a name can be a command: quoting guards against neither people nor templates.
So only plain names are taken, and what is left out is said.
"""

from __future__ import annotations

import re

#: Names of processes, users, units and packages. No space, quote or brace; none begins as an option or a path does.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,127}")
_TEMPLATE = re.compile(r"\{[{%#]|[%#}]\}")


def plain_name(name: object) -> str | None:
    """The name when it may be pasted; None when not."""
    text = "" if name is None else str(name)
    return text if _PLAIN_NAME.fullmatch(text) else None


def is_template(text: str) -> bool:
    """True for what Ansible would take for a template (or might, with the usual delimiters)."""
    return bool(_TEMPLATE.search(text))
