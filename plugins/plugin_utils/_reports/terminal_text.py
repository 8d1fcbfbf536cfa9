# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text for a terminal or a CI log, as neither takes it for a command. This module is private to the collection.

ASCII only: a terminal that reads single bytes takes the second byte of many a letter in UTF-8 for a
control character (0x80 to 0x9f, ECMA-48). Runners read commands out of a log; where they do so at the
start of a line only, a terminal or Ansible may still wrap the text there, so they are broken anywhere.
"""

from __future__ import annotations

import re

from ansible_collections.vigil.ports.plugins.module_utils._visible_text import DEFAULT_LIMIT, escape, visible

_COMMANDS = re.compile(
    r"(?<=#)#"  # ##[group] and ##vso[task...] (GitHub, Azure Pipelines), ##teamcity[...]
    r"|(?<=:):(?=[0-9A-Fa-f-]*[G-Zg-z])"  # ::error:: (GitHub); an IPv6 address has hexadecimal digits only there
    r"|(?<![^ ])(?:-(?=--)|\+(?=\+\+)|~(?=~~)|\^(?=\^\^))"  # --- a group of the log (Buildkite)
    r"|(?<=section)_(?=(?:start|end):)|(?<=fold):(?=(?:start|end):)"  # section_start: (GitLab), travis_fold:start:
)


def terminal_text(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """One line of ASCII with no command in it, of at most ``limit`` characters before its escapes."""
    shown = "".join(character if character.isascii() else escape(character) for character in visible(text, limit))
    return _COMMANDS.sub(lambda match: escape(match.group()), shown)
