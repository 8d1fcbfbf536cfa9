# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions of antsibull-nox: what the community's collections check of themselves. `make gates` runs them."""

import sys

import nox

try:
    import antsibull_nox
except ImportError:
    print("antsibull-nox is not installed: make gates")
    sys.exit(1)

antsibull_nox.load_antsibull_nox_toml()

if __name__ == "__main__":
    nox.main()
