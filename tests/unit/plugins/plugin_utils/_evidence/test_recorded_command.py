# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that started a run is recorded by its harmless parts; a value that nobody knows is not written."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from ansible_collections.vigil.ports.plugins.plugin_utils._evidence.recorded_command import recorded_command
from ansible_collections.vigil.ports.tests.unit.examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

START = ["ansible-playbook", "vigil.ports.audit"]


@pytest.mark.parametrize(
    "given",
    [
        ["-i", "inventory/production", "-l", "web*:!web3", "--check", "-vvv"],
        ["-e", "audit_scan_depth=known audit_label=nightly audit_expiring_days=30"],
        ["--extra-vars=audit_fail_on=high"],
        ["-e", "@settings.yml", "--vault-password-file", "vault.txt"],
        ["-e", '{"audit_accept_gaps": ["web1:scan-partial@office"], "audit_every": 86400}'],
        ["-bKu", "operator", "--tags", "audit", "-f10"],
    ],
)
def test_what_is_known_to_be_harmless_is_recorded_as_it_was_given(given: list[str]) -> None:
    assert recorded_command([*START, *given]) == [*START, *given]


SECRET = "s3cr3t"  # noqa: S105 - the test looks for it


@pytest.mark.parametrize(
    "given",
    [
        ["-e", f"audit_history_url=postgresql://audit:pa/ss?w#{SECRET}@db/vigil"],
        ["-e", f"audit_history_url=postgresql://audit:p@{SECRET}@db/vigil"],
        ["-e", f"db_passwords=a,{SECRET}"],
        ["-e", json.dumps({"passwords": ["first", SECRET]})],
        ["-e", json.dumps({"db_password": f'a"{SECRET}'})],
        ["-e", json.dumps({"notify_channels": [{"name": "ops", "urls": [f"json://hook.example/{SECRET}"]}]})],
        ["-e", f'db_password="a\\"{SECRET}"'],
        ["-e", f'audit_label="a\\" db_password={SECRET}'],
        ["-e", f"harmless={SECRET}"],
        ["-e", f"{{db: {{password: {SECRET}}}}}"],
        ["-e", f"audit_label=x {SECRET}"],
        ["-e", f"audit_report_dir=https://u:{SECRET}@host/"],
        [f"-edb_password={SECRET}"],
        [f"-vedb_password={SECRET}"],
        [f"--extra-vars=db_password={SECRET}"],
        [f"--extra-v=db_password={SECRET}"],
        ["--extra-v", f"db_password={SECRET}"],
        ["--unknown-option", SECRET],
        ["--ssh-common-args", f"-o ProxyCommand='sshpass -p {SECRET} ssh jump'"],
        ["-i", f"https://u:{SECRET}@inventory.example/"],
    ],
)
def test_no_other_value_is_recorded_in_any_form(given: list[str]) -> None:
    told = " ".join(recorded_command([*START, *given]))
    assert SECRET not in told
    assert "[redacted]" in told


@settings(max_examples=examples(200), deadline=None)
@given(
    name=st.from_regex(r"[a-z_]{1,12}", fullmatch=True),
    password=st.text(min_size=1, max_size=12),
    form=st.integers(0, 4),
)
def test_a_value_of_a_variable_that_is_not_the_collections_is_never_recorded(
    name: str, password: str, form: int
) -> None:
    secret = f"{SECRET}{password}{SECRET}"
    forms = (
        f"x_{name}={secret}",
        f"x_{name}={quote(secret)}",
        json.dumps({f"x_{name}": secret}),
        json.dumps({f"x_{name}": [{"deep": secret}]}),
        f"x_{name}='{secret}",
    )
    assert SECRET not in " ".join(recorded_command([*START, "-e", forms[form]]))
