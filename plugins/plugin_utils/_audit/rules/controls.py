# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controls of standards that several rules speak to. This module is private to the collection."""

from __future__ import annotations

INVENTORY = ("PCI DSS 4.0.1 1.2.5", "CIS Controls 8.1 4.8", "NIST SP 800-53 CM-7", "ISO 27001:2022 A.8.9")
BOUNDARY = ("PCI DSS 4.0.1 1.3.1", "CIS Controls 8.1 4.4", "NIST SP 800-53 SC-7", "ISO 27001:2022 A.8.20")
REVIEW = ("PCI DSS 4.0.1 1.2.7", "NIST SP 800-53 CA-7", "ISO 27001:2022 A.5.36")
OWNER = ("PCI DSS 4.0.1 2.2.4", "NIST SP 800-53 CM-7(5)", "ISO 27001:2022 A.8.19")
EVIDENCE = ("PCI DSS 4.0.1 11.4.5", "NIST SP 800-53 AU-12", "ISO 27001:2022 A.8.15")
