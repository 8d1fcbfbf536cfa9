# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts for the integration tests: network namespaces on a bridge, each with a real sshd and real services.

``hosts`` says what is planted where, ``host_init`` is process 1 of a host, ``keeper`` holds the hosts together
and takes them down with it, ``control`` is what tests and the command line use.
"""
