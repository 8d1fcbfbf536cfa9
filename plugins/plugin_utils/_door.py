# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every action of the collection does alike: check its options, turn known errors into a failed task, and
encode what Ansible prints of it.

This module is private to the collection.
"""

from __future__ import annotations

import abc
import errno
import os
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_version
from ansible_collections.vigil.ports.plugins.module_utils._visible_text import MESSAGE_LIMIT
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.names import refusal, settings_among
from ansible_collections.vigil.ports.plugins.plugin_utils._authority.texts import as_text, hidden_in
from ansible_collections.vigil.ports.plugins.plugin_utils._changes.window import WindowError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.codec import MSGSPEC_IMPORT_ERROR, MSGSPEC_NEEDED
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.kept import EvidenceError
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.signature import SignatureError
from ansible_collections.vigil.ports.plugins.plugin_utils._history.problem import HistoryError
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.plain import plain
from ansible_collections.vigil.ports.plugins.plugin_utils._inventory.schema import JSONSCHEMA_IMPORT_ERROR
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.junit import JUNIT_XML_IMPORT_ERROR
from ansible_collections.vigil.ports.plugins.plugin_utils._reports.terminal_text import terminal_text

#: What every action needs, and why it is not there.
_LIBRARIES = (
    ("jsonschema", JSONSCHEMA_IMPORT_ERROR),
    ("junit-xml", JUNIT_XML_IMPORT_ERROR),
    (MSGSPEC_NEEDED, MSGSPEC_IMPORT_ERROR),
)


#: The one private name of ansible-core that is overridden: no public one sees what a host wrote before it is printed. A
#: test names the releases that it was seen in.
_PARSER = "_parse_returned_data"

#: Said where a later release has no such name. Evidence and results are the same there.
_UNCUT = (
    "ansible-core {version} has no ActionBase._parse_returned_data: what a host writes behind the answer of a module is"
    " printed as the host wrote it; use a release that MAINTAINERS.md lists, or read this output as untrusted text"
)


class Door(ActionBase, abc.ABC):  # type: ignore[misc]  # ansible-core has no type hints
    """An action on the control node. It reads and writes the run directory and changes nothing on a host."""

    ARGUMENTS: ClassVar[dict[str, dict[str, Any]]]

    _requires_connection = False
    _supports_check_mode = True

    @abc.abstractmethod
    def act(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """The work. Returns the task's result without ``changed``."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        for name, error in _LIBRARIES:
            if error is not None:
                raise AnsibleActionFail(missing_required_lib(name)) from error
        arguments: dict[str, Any] = {}
        self._refuse_facts(task_vars or {})
        self._refuse_texts()
        try:
            _validation, given = self.validate_argument_spec(self.ARGUMENTS)
            arguments = _exact(given)
            result = {"changed": False, **self.act(arguments, task_vars or {})}
            if self._requires_connection and not hasattr(ActionBase, _PARSER):
                result["warnings"] = [*result.get("warnings", ()), _UNCUT.format(version=ansible_version)]
            return _printable(result)
        except (EvidenceError, HistoryError, SignatureError, WindowError) as error:
            why = str(error)
        except OSError as error:
            why = _said(error, self._option_of(arguments, error.filename))
        except AnsibleConnectionFailure as error:
            return _printable({"unreachable": True, "msg": error.message})
        except AnsibleError as error:
            why = error.message
        # Out of the except block: Ansible prints the messages of what an error came from as well, as they are.
        raise AnsibleActionFail(_lines(why))

    def _option_of(self, arguments: Mapping[str, Any], file: object) -> str | None:
        """The option by which a file was given, itself or a directory that it lies in."""
        if not isinstance(file, str):
            return None
        real = os.path.realpath(file)
        given = {
            name: os.path.realpath(arguments[name])
            for name, spec in self.ARGUMENTS.items()
            if spec["type"] == "path" and arguments.get(name)
        }
        holding = [name for name, path in given.items() if os.path.commonpath((path, real)) == path]
        return max(holding, key=lambda name: len(given[name]), default=None)

    def _refuse_facts(self, task_vars: Mapping[str, Any]) -> None:
        """The options were made of variables before which facts stand, so that a host could have given them."""
        claimed = settings_among(task_vars.get("ansible_facts") or ())
        if why := refusal({"the host of this task": claimed}):
            raise AnsibleActionFail(_lines(why))

    def _refuse_texts(self) -> None:
        """Texts that hold what would end a line in a file or on a terminal, and lists that are text."""
        problems = []
        for name, value in self._task.args.items():
            if self.ARGUMENTS.get(name, {}).get("type") == "list" and isinstance(value, str):
                problems.append(as_text(name, "list", '["..."]'))
            problems.extend(hidden_in(name, value))
        if problems:
            raise AnsibleActionFail(_lines("\n".join(problems)))

    def _parse_returned_data(self, res: dict[str, Any], *more: Any) -> Any:
        """What a host writes behind the answer of a module is dropped: Ansible would print it as a warning, raw."""
        output = str(res.get("stdout", ""))
        return super()._parse_returned_data({**res, "stdout": output[: output.rfind("}") + 1] or output}, *more)


def _exact(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options in exact types. Ansible marks the values of variables by subclasses, which libraries refuse or
    write out as objects."""
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        try:
            arguments[name] = plain(value)
        except TypeError as error:
            raise AnsibleActionFail(
                f"{name}: {error}, give text, a number, a truth value, a list or a mapping"
            ) from error
    return arguments


def _printable(result: dict[str, Any]) -> dict[str, Any]:
    """The result with its texts for people encoded; the others are for the tasks that follow."""
    if "msg" in result:
        result["msg"] = _lines(result["msg"])
    if "warnings" in result:
        result["warnings"] = [_lines(warning) for warning in result["warnings"]]
    return result


def _lines(text: str) -> str:
    return "\n".join(terminal_text(line, MESSAGE_LIMIT) for line in text.splitlines())


#: The options that say where runs lie. What is below was there when the run began.
_WHERE_RUNS_LIE = ("report_dir", "run_dir", None)

#: The way out of what a file system refuses, where runs lie.
_WAYS_OUT = {
    errno.ENOSPC: "free space or inodes on its disk, or give another audit_report_dir, and run the audit again",
    errno.EDQUOT: "free some of the quota, or give another audit_report_dir, and run the audit again",
    errno.EFBIG: "raise the limit of the file size (ulimit -f), and run the audit again",
    errno.EROFS: "give an audit_report_dir that can be written",
    errno.EACCES: "give an audit_report_dir that this user can write",
    errno.EPERM: "give an audit_report_dir that this user can write",
    errno.ENOTDIR: "give an audit_report_dir that is a directory, or can be made as one",
    errno.ENOENT: "it was there when the run began: check whether its disk is still mounted, and run the audit again",
    errno.EMFILE: "raise the limit of open files (ulimit -n), and run the audit again",
}

#: The same for a file that another option gives.
_WAYS_OUT_OF_AN_OPTION = {
    errno.ENOSPC: "free space or inodes on its disk, or give another path",
    errno.EDQUOT: "free some of the quota, or give another path",
    errno.EFBIG: "raise the limit of the file size (ulimit -f)",
    errno.EROFS: "give a path that can be written",
    errno.EACCES: "give a path that this user may use",
    errno.EPERM: "give a path that this user may use",
    errno.ENOTDIR: "give a path below a directory",
    errno.EISDIR: "give a file, not a directory",
    errno.ENOENT: "give the path of a file that exists, absolute or relative to the current directory",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def _said(error: OSError, option: str | None) -> str:
    """The file, what the system says of it, and the way out, by what gave the file."""
    number = error.errno or 0
    if option in _WHERE_RUNS_LIE:
        way_out = _WAYS_OUT.get(number, "check the disk, and run the audit again")
        return f"{error.filename or 'the run directory'}: {error.strerror}; {way_out}"
    way_out = _WAYS_OUT_OF_AN_OPTION.get(number, "check its disk")
    return f"{option}: {error.filename}: {error.strerror}; {way_out}"
