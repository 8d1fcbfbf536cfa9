# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of real packages with their changelogs finds what it is made to find."""

from __future__ import annotations

import gzip
import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._risk.matching import Matched, match

from .advisory_builders import BOOKWORM, deb, debian

_GOOD = """redis (5:7.0.15-1~deb12u2) bookworm-security; urgency=high

  * CVE-2024-10002: fixed.

redis (5:7.0.15-1~deb12u1) bookworm-security; urgency=high

  * Rebuild for bookworm-security.

redis (5:7.0.15-1) unstable; urgency=high

  * New release, fixes CVE-2024-10001.

redis (5:7.0.11-1) unstable; urgency=medium

  * New release.
"""


@pytest.fixture
def checker() -> ModuleType:
    """.ci/check-changelogs, which has no name that can be imported."""
    loader = importlib.machinery.SourceFileLoader(
        "check_changelogs", str(Path(__file__).parents[5] / ".ci" / "check-changelogs")
    )
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _check(checker: ModuleType, directory: Path, text: str) -> Any:
    (directory / "redis.changelog.Debian.gz").write_bytes(gzip.compress(text.encode()))
    return checker.main("bookworm", str(directory))


def test_a_rebuild_for_stable_has_the_fix_of_what_it_was_made_of(
    checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _check(checker, tmp_path, _GOOD) == 0
    said = capsys.readouterr().out
    assert "1 changelogs, 2 vulnerabilities fixed, 2 looked for in the version before: 0 wrong" in said


def test_a_false_alarm_for_the_installed_version_fails(
    checker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = deb("redis", "5:7.0.11-1")
    monkeypatch.setattr(
        checker, "match", lambda host, _packages, advisories, covers: match(host, [old], advisories, covers)
    )
    assert _check(checker, tmp_path, _GOOD) == 1
    said = capsys.readouterr()
    assert "redis 5:7.0.15-1~deb12u2: CVE-2024-10001 is reported, and its changelog says that it is fixed" in said.err
    assert "2 wrong" in said.out


def test_a_miss_in_the_version_before_fails(
    checker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checker, "match", lambda *_: Matched((), ()))
    assert _check(checker, tmp_path, _GOOD) == 1
    missed = "redis 5:7.0.11-1: CVE-2024-10001 is not reported, and 5:7.0.15-1~deb12u1 has the fix"
    assert missed in capsys.readouterr().err


def test_the_fix_of_sid_would_be_a_false_alarm() -> None:
    """Or the check of real packages would prove nothing of releases."""
    assert match(
        BOOKWORM, [deb("redis", "5:7.0.15-1~deb12u2")], [debian("redis", "5:7.0.15-1")], {"debian/bookworm"}
    ).vulnerabilities


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nothing that looks like a changelog\n", "no changelog"),
        (_GOOD.replace("deb12u2", "bpo12+1"), "cannot be compared"),
    ],
)
def test_what_cannot_be_checked_is_not_a_pass(checker: ModuleType, tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SystemExit, match=why):
        _check(checker, tmp_path, text)


def test_nothing_to_check_is_not_a_pass(checker: ModuleType, tmp_path: Path) -> None:
    assert checker.main("bookworm", str(tmp_path)) == 2
    assert _check(checker, tmp_path, "redis (1-1) unstable; urgency=low\n\n  * First.\n") == 1
