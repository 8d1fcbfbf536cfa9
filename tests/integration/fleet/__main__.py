# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet by hand: ``python tests/integration/fleet up | status | down``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fleet import control
from fleet.layout import KNOWN_HOSTS, SSH_CONFIG


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("up", "status", "down"))
    action = parser.parse_args().action
    started = time.monotonic()
    if action == "status":
        fleet = control.status()
        print("down" if fleet is None else f"up: {len(fleet.hosts)} hosts, keeper {fleet.keeper}, lost: {fleet.lost}")
        return 0 if fleet is not None else 3
    if action == "down":
        print("down after" if control.down() else "was not up", f"{time.monotonic() - started:.1f} s")
        return 0
    reason = control.why_not()
    if reason is not None:
        print(reason, file=sys.stderr)
        return 1
    try:
        fleet = control.up()
    except control.FleetUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(fleet.hosts)} hosts up after {time.monotonic() - started:.1f} s, units: {fleet.units}")
    print(f"ssh -F {SSH_CONFIG} web1")
    print(f"known hosts: {KNOWN_HOSTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
