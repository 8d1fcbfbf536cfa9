# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name that somebody gave a container. Its id changes whenever the container is made anew, the name stays.

Read from the files that the runtimes keep, as root; no runtime is asked. Sources: docker's ``config.v2.json`` and
podman's ``containers.json`` as these write them; the annotations of Kubernetes in the OCI bundle (``config.json``, OCI
runtime specification), which containerd and CRI-O write. This module is private to the collection.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import pwd
import re
from typing import Any, Iterator

#: What a name may hold: docker and podman allow these, Kubernetes fewer.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}\Z")
_USER = re.compile(r"/user-([0-9]{1,9})\.slice/")
_ID = re.compile(r"[0-9a-f]{12}\Z")
#: A file of a runtime is a few kilobytes for each container.
_LARGEST = 1 << 26

#: Below the root of the file system, and below the home of somebody who runs containers without being root.
_DOCKER = ("var/lib/docker/containers", ".local/share/docker/containers")
_PODMAN = ("var/lib/containers/storage", ".local/share/containers/storage")
_BUNDLES = (
    "run/containerd/io.containerd.runtime.v*.task/k8s.io/{id}*",
    "run/k3s/containerd/io.containerd.runtime.v*.task/k8s.io/{id}*",
    "run/containers/storage/*-containers/{id}*/userdata",
)
#: Namespace and name of the pod, as containerd and as CRI-O call them.
_POD = (
    ("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name"),
    ("io.kubernetes.pod.namespace", "io.kubernetes.pod.name"),
)


def container_name(container: str, cgroup: str, root: str = "/") -> str | None:
    """The name of ``<runtime>/<first 12 characters of the id>``: ``web``, of a pod ``NAMESPACE/NAME``.

    ``cgroup`` is the text of its /proc/<pid>/cgroup, which tells whose container it is where it is not root's. None
    where no runtime knows it, and where its file may not be read or says nothing that can be a name.
    """
    short = container.partition("/")[2]
    if not _ID.match(short):
        return None
    whose = _USER.search(cgroup)
    for names in (_of_pods(root, short), _of_docker(root, short, whose), _of_podman(root, short, whose)):
        for parts in names:
            if parts and all(isinstance(part, str) and _NAME.match(part) for part in parts):
                return "/".join(parts)
    return None


def _folders(root: str, places: tuple[str, str], whose: re.Match[str] | None) -> Iterator[str]:
    """Where a runtime keeps its containers: root's, or those of the user whose slice they are in."""
    of_root, of_user = places
    if whose is None:
        yield os.path.join(root, of_root)
        return
    with contextlib.suppress(KeyError):  # the user has no entry on this host
        yield os.path.join(root, pwd.getpwuid(int(whose[1])).pw_dir.lstrip("/"), of_user)


def _of_docker(root: str, short: str, whose: re.Match[str] | None) -> Iterator[tuple[Any, ...]]:
    for folder in _folders(root, _DOCKER, whose):
        for path in _paths(folder, f"{short}*/config.v2.json"):
            settings = _json(path)
            if isinstance(settings, dict):
                name = settings.get("Name")
                yield (name[1:] if isinstance(name, str) and name.startswith("/") else name,)


def _of_podman(root: str, short: str, whose: re.Match[str] | None) -> Iterator[tuple[Any, ...]]:
    for folder in _folders(root, _PODMAN, whose):
        for path in _paths(folder, "*-containers/containers.json"):
            rows = _json(path)
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, dict) and str(row.get("id")).startswith(short):
                    names = row.get("names")
                    yield tuple(names[:1] if isinstance(names, list) else ())


def _of_pods(root: str, short: str) -> Iterator[tuple[Any, ...]]:
    """All containers of a pod share its network namespace."""
    for bundle in _BUNDLES:
        for path in _paths(root, f"{bundle.format(id=short)}/config.json"):
            settings = _json(path)
            annotations = settings.get("annotations") if isinstance(settings, dict) else None
            for namespace, name in _POD:
                if isinstance(annotations, dict) and namespace in annotations and name in annotations:
                    yield (annotations[namespace], annotations[name])


def _paths(folder: str, pattern: str) -> list[str]:
    return sorted(glob.glob(os.path.join(glob.escape(folder), pattern)))


def _json(path: str) -> Any:
    """What a file holds; None where it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
