# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""dpkg's own files, in any state: a package is named only when its list has that very line."""

from __future__ import annotations

import os
import tempfile

from ansible_collections.vigil.ports.plugins.module_utils._listeners.dpkg_database import NotToldError, owning_packages
from ansible_collections.vigil.ports.tests.fuzz.targets.pieces import split

PATH = b"/usr/sbin/nginx"


def target(data: bytes) -> None:
    status, listed, diversions, form = split(data, 4)
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/info")
        os.mkdir(f"{folder}/updates")
        files = {"status": status, "diversions": diversions, "info/format": form, "info/nginx:amd64.list": listed}
        for name, content in files.items():
            with open(f"{folder}/{name}", "wb") as stream:
                stream.write(content)
        try:
            found = owning_packages(folder, {PATH: [os.fsdecode(PATH)]})
        except NotToldError:
            return
    assert form.strip() == b"1"
    assert PATH not in diversions.split(b"\n")
    assert (PATH in found) == (PATH in listed.split(b"\n"))
    if found:
        package = found[PATH]
        assert (package.name, package.manager) == ("nginx", "dpkg")
        assert package.version is not None
        assert b"\nVersion: " + os.fsencode(package.version) in status
