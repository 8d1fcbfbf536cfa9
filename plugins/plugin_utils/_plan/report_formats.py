# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The formats in which a run may be reported. This module is private to the collection."""

from __future__ import annotations

#: As ``audit_formats`` names them; by default all of them.
FORMATS = ("html", "junit", "markdown")

#: What runs were reported in before there was a choice.
FORMATS_OF_EARLIER_RUNS = ("junit", "markdown")
