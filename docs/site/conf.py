# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx settings of the documentation site. `make docs-site` stages the pages and builds them."""

from __future__ import annotations

import os
from typing import Any

from docutils import nodes

project = "vigil.ports"
author = "vigil.ports maintainers"
project_copyright = f"2026 {author}"
version = release = os.environ["VIGIL_SITE_VERSION"]

extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "index"
# The guides link to headings as GitHub names them.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]

html_theme = "furo"
html_title = f"vigil.ports {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
highlight_language = "yaml"

#: Labels of Ansible's own pages that antsibull-docs links to. Any other label that is not here is an error.
ANSIBLE = "https://docs.ansible.com/ansible/latest"
ELSEWHERE = {
    "action_plugins": f"{ANSIBLE}/plugins/action.html#action-plugins",
    "ansible_configuration_settings": f"{ANSIBLE}/reference_appendices/config.html",
    "ansible_collections.community.general.listen_ports_facts_module": (
        f"{ANSIBLE}/collections/community/general/listen_ports_facts_module.html"
    ),
    "common_return_values": f"{ANSIBLE}/reference_appendices/common_return_values.html",
}


def elsewhere(_app: Any, _env: Any, node: Any, content: Any) -> nodes.reference | None:
    """The link to a label of Ansible's own pages. No inventory is fetched, so that the build needs no network."""
    url = ELSEWHERE.get(node.get("reftarget"))
    return nodes.reference("", "", content.deepcopy(), internal=False, refuri=url) if url else None


def setup(app: Any) -> dict[str, bool]:
    app.connect("missing-reference", elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
