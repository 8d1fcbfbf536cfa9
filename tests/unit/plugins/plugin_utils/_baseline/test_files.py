# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of the inventory stays as it is, byte for byte, but for what is added; or nothing is written."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.changes import file_changes
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.patch import FileChange, patch, write
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.variables_file import NoFileError, variables_file
from ansible_collections.vigil.ports.plugins.plugin_utils._baseline.yaml_file import CannotKeepError, with_entries
from ansible_collections.vigil.ports.tests.unit.examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

VARIABLE = "vigil_ports__proposed"
ENTRY: dict[str, Any] = {
    "port": 443,
    "process": "on",
    "reachable_from": ["internet"],
    "required": False,
    "justification": "FILL IN: why",
    "owner": "12:30",
}

KEPT = {
    "nothing": b"",
    "a comment": b"# only this\n",
    "a comment without an end": b"# only this",
    "a start": b"---\n",
    "a start without an end": b"---",
    "a licence before the start": b"# Licence\n\n---\n# more\na: 1\n",
    "a directive": b"%YAML 1.2\n---\na: 1\n",
    "no end of line": b"a: 1",
    "quotes": b"a: '1'\nb: \"2\"\nc: yes\nd: 0o14\ne: 012\nf: 1e3\nh:\n",
    "comments": b"# top\na: 1  # beside\n\n# between\nb:\n  # inside\n  - 1  # one\n  # after\n\n# end\n",
    "indented lists": b"a:\n  - b: 1\n    c: 2\n  - d\ne:\n  - [1, 2]\n",
    "lists that are not": b"a:\n- b: 1\n  c: 2\n- d\n",
    "four spaces": b"a:\n    b:\n        c: 1\n    d:\n        - 1\n",
    "flow": b"a: {b: 1, c: [1, 2]}\nd: []\ne: {}\n",
    "blocks": b"a: |\n  one\n\n  two\nb: >-\n  folded\n  text\n",
    "anchors": b"a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 2\n",
    "templates": b"a: \"{{ b | default('c') }}\"\nd: '{% if e %}f{% endif %}'\n",
    "a secret": b"a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3132\n  3334\nb: 1\n",
    "a long line": b"a: " + b"word " * 3000 + b"end\n",
    "other alphabets": "a: Müller\nb: '中文 😀'\n".encode(),
    "a proposal that is there": b"vigil_ports__proposed:\n  - port: 1\n    owner: a\n    justification: b\n",
    "a proposal in the middle": b"vigil_ports__proposed:\n  - port: 1  # one\n\n# next\nz: 1\n",
}
REFUSED = {
    "encrypted": (b"$ANSIBLE_VAULT;1.1;AES256\n3132\n", "encrypted"),
    "a byte order mark": (b"\xef\xbb\xbfa: 1\n", "byte order mark"),
    "ends of lines of Windows": (b"a: 1\r\nb: 2\r\n", "carriage return"),
    "Latin-1": ("a: Müller\n".encode("latin-1"), "not UTF-8"),
    "UTF-16": ("a: 1\n".encode("utf-16"), "not UTF-8"),
    "tabs": (b"a:\n\tb: 1\n", "cannot be read as YAML"),
    "a key twice": (b"a: 1\na: 2\n", "duplicate key"),
    "a template without quotes": (b"a: {{ b }}\n", "otherwise"),
    "a template of lines": (b"{% if a %}\nb: 1\n{% endif %}\n", "YAML"),
    "two documents": (b"a: 1\n---\nb: 2\n", "YAML"),
    "a list": (b"- a\n- b\n", "no mapping"),
    "a text": (b"just words\n", "no mapping"),
    "an end of the document": (b"a: 1\n...\n", "otherwise"),
    "spaces for looks": (b"a:    1\nlong: 2\n", "line 1 otherwise"),
    "spaces at the end": (b"a: 1 \nb: 2\n", "otherwise"),
    "a tilde for nothing": (b"a: ~\nb: 1\n", "line 1 otherwise"),
    "no alias": (b"a: *nowhere\n", "YAML"),
    "control characters": (b"a: 1\x00\n", "YAML"),
    "a proposal that is no list": (b"vigil_ports__proposed: later\n", "no list"),
    "a proposal in one line": (b"vigil_ports__proposed: [{port: 1}]\n", "line 1 otherwise|would not stay"),
    "depth": (b"a: " + b"[" * 500 + b"]" * 500 + b"\n", "YAML"),
}


def added(content: bytes) -> bytes:
    return with_entries(content, VARIABLE, [ENTRY], "Proposed.\nMove it.")


@pytest.mark.parametrize("name", KEPT)
def test_everything_else_stays_byte_for_byte(name: str) -> None:
    content = KEPT[name]
    after = added(content)
    grown = [place for place in range(len(content) + 1) if after.startswith(content[:place])]
    assert after.endswith((content[grown[-1] :], content[grown[-1] :] + b"\n"))
    if VARIABLE.encode() not in content:
        assert after.startswith(content)
        assert b"# Proposed.\n# Move it.\n" in after


@pytest.mark.parametrize("name", KEPT)
def test_what_was_added_is_read_as_it_was_meant(name: str) -> None:
    """By PyYAML, which reads for Ansible: ``on`` is true to it, and 12:30 a number, where they are not quoted."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!vault", lambda _loader, node: node.value)
    before, after = (yaml.load(text, Loader) for text in (KEPT[name], added(KEPT[name])))  # noqa: S506 - a safe loader
    layer = after.pop(VARIABLE)
    assert layer[-1] == ENTRY
    assert layer[:-1] == ((before or {}).pop(VARIABLE, None) or [])
    assert after == (before or {})


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_is_refused_with_the_reason(name: str) -> None:
    content, why = REFUSED[name]
    with pytest.raises(CannotKeepError, match=why):
        added(content)


@settings(max_examples=examples(60))
@given(st.binary(max_size=80))
def test_no_bytes_at_all_are_changed(content: bytes) -> None:
    try:
        after = added(content)
    except CannotKeepError:
        return
    assert after.startswith(content) or content.strip().startswith(b"vigil_ports")


json_text = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text(max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=examples(40), deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=6), json_text, max_size=4), st.sampled_from([None, True, False]))
def test_no_variables_at_all_are_changed(variables: Any, flow: bool | None) -> None:
    content = yaml.safe_dump(variables, default_flow_style=flow, allow_unicode=True).encode()
    try:
        after = added(content)
    except CannotKeepError:
        return
    assert after.startswith(content)
    assert yaml.safe_load(after) == {**variables, VARIABLE: [ENTRY]}


def test_the_file_is_the_one_that_ansible_reads(tmp_path: Path) -> None:
    folder = tmp_path / "group_vars"
    assert variables_file(tmp_path, "group", "web") == folder / "web.yml"
    folder.mkdir()
    for name in ("web.yaml", "web.yml", "web"):
        (folder / name).write_text("a: 1\n")
        assert variables_file(tmp_path, "group", "web") == folder / name
    (folder / "web").unlink()
    (folder / "web").mkdir()
    assert variables_file(tmp_path, "group", "web") == folder / "web" / "vigil_ports_proposed.yml"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", ".hidden", "a b", "a\nb", "-x", '"'])
def test_a_name_that_is_no_plain_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoFileError):
        variables_file(tmp_path, "host", name)


def test_a_refused_file_is_named_and_the_others_are_written(tmp_path: Path) -> None:
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "web1.yml").write_bytes(b"a: 1\r\n")
    (tmp_path / "host_vars" / "web3.json").write_text("{}")
    layers = [("host", name, VARIABLE, [ENTRY]) for name in ("web1", "web2", "web3")]
    changes, refused = file_changes(layers, tmp_path, "run x")
    assert [change.path.name for change in changes] == ["web2.yml"]
    assert [one.name for one in refused] == [str(tmp_path / "host_vars" / "web1.yml"), "host web3"]
    assert "carriage return" in refused[0].why
    assert yaml.safe_load(refused[0].text) == {VARIABLE: [ENTRY]}


def test_the_patch_is_what_git_applies(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    files = {"group_vars/all.yml": b"a: 1\n", "host_vars/web1.yml": b"a: 1", "host_vars/x.yml": b"# x\n" * 40}
    changes = []
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        changes.append(FileChange(tmp_path / name, content, added(content)))
    changes.append(FileChange(tmp_path / "group_vars/web.yml", None, added(b"")))
    subprocess.run([*git, "apply", "-"], input=patch(changes, tmp_path).encode(), check=True)
    for change in changes:
        assert change.path.read_bytes() == change.after


def test_mode_and_link_stay_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yml", tmp_path / "link.yml"
    real.write_bytes(b"a: 1\n")
    real.chmod(0o640)
    link.symlink_to(real)
    write(FileChange(link, b"a: 1\n", b"a: 2\n"))
    assert (link.is_symlink(), real.read_bytes(), real.stat().st_mode & 0o777) == (True, b"a: 2\n", 0o640)
    write(FileChange(tmp_path / "new" / "file.yml", None, b"a: 1\n"))
    assert (tmp_path / "new" / "file.yml").stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.yml", "new", "real.yml"]
