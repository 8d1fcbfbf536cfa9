# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the get-pip script that ansible-test downloads: pip comes from the Python itself instead.

ansible-test runs it in a fresh virtual environment as ``get_pip_24_2.py pip==24.2 ... --no-setuptools --no-wheel``.
Each step is a process of its own, since pip cannot replace the pip that runs.
"""

from __future__ import annotations

import subprocess
import sys


def main() -> None:
    wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wanted], check=True)


if __name__ == "__main__":
    main()
