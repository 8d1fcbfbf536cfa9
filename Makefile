# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything that is made is below $(VENV), .cache/ and reports/.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
ANSIBLE_CORE ?=
NEWEST_CORE := 2.21
PYTHON_MINOR := $(if $(filter 2.20 2.21,$(ANSIBLE_CORE)),12,11)
INVENTORY ?= examples/quickstart/inventory.yml
SECONDS := 60

CACHE := $(CURDIR)/.cache
BIN := $(abspath $(VENV))/bin
GATES := $(CACHE)/venv/gates
DOCS := $(CACHE)/venv/docs
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 $(if $(ANSIBLE_CORE),'ansible-core==$(ANSIBLE_CORE).*')

TREE := .cache/tree/ansible_collections/vigil/ports
INSTALLED := .cache/collections/ansible_collections/vigil/ports
# Folders count too, so that a deleted file is seen; the files that Python and ansible-lint leave do not.
COLLECTION_SOURCES := $(shell find galaxy.yml README.md CHANGELOG.rst plugins roles playbooks meta schemas -name __pycache__ -prune -o ! -name '*.pyc' -print 2>/dev/null)

export ANSIBLE_HOME := $(CACHE)/ansible
export ANSIBLE_COLLECTIONS_PATH := $(CACHE)/collections
export PATH := $(BIN):$(PATH)
unexport PYTHONPATH VIRTUAL_ENV

.PHONY: help
help: ## List what can be made
	@echo "make TARGET, where TARGET is:"
	sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1 \2/p' $(firstword $(MAKEFILE_LIST)) | while read -r target text; do printf '  %-14s %s\n' "$$target" "$$text"; done
	echo "Settings: PYTHON=python3.12  ANSIBLE_CORE=2.20  VENV=.venv  INVENTORY=$(INVENTORY)"

.PHONY: audit
audit: $(VENV)/.stamp-run $(INSTALLED)/MANIFEST.json ## Audit this machine against the example inventory, reports go to reports/
	@ANSIBLE_CONFIG=$(CURDIR)/examples/quickstart/ansible.cfg ansible-playbook -i $(INVENTORY) vigil.ports.audit -e audit_report_dir=$(CURDIR)/reports -e audit_fail_on=never

.PHONY: test
test: packages env ## Everything: packages, lint, sanity, unit, integration, and a part of it with the newest ansible-core
	@rm -rf .cache/test-logs
	failed=0
	$(MAKE) --no-print-directory --keep-going -j2 --output-sync=target lint sanity unit || failed=1
	$(MAKE) --no-print-directory integration || failed=1
	$(MAKE) --no-print-directory integration-newest || failed=1
	echo
	.ci/test-counts
	exit $$failed

# The fleet with the newest core only: its hosts' Pythons are those of the machine, whatever the core.
.PHONY: test-long
test-long: packages ## What takes too long for each change: many examples, every core, the fleet with the newest one, the fuzzer (SECONDS each)
	@failed=
	VIGIL_EXAMPLES_TIMES=10 $(MAKE) --no-print-directory unit || failed="$$failed examples"
	$(MAKE) --no-print-directory sanity-all || failed="$$failed sanity"
	for core in 2.20 2.21; do
	    $(MAKE) --no-print-directory unit VENV=.cache/venv/$$core ANSIBLE_CORE=$$core || failed="$$failed unit-$$core"
	done
	$(MAKE) --no-print-directory integration VENV=.cache/venv/2.21 ANSIBLE_CORE=2.21 || failed="$$failed fleet-2.21"
	$(MAKE) --no-print-directory fuzz || failed="$$failed fuzz"
	[ -z "$$failed" ] || { echo "Failed:$$failed"; exit 1; }

.PHONY: test-fresh
test-fresh: ## The README's two commands on a minimal Debian made in a directory (root, debootstrap); ARGS="trixie" takes another release
	@command -v debootstrap >/dev/null || { echo "debootstrap is not installed: apt-get install debootstrap" >&2; exit 1; }
	.ci/test-fresh $(ARGS)

.PHONY: packages
packages: ## Install the system packages that the integration tests need (root, apt)
	@.ci/system-packages install tests/sanity/packages.txt tests/integration/packages.txt

.PHONY: env
env: $(VENV)/.stamp-dev $(TREE) $(INSTALLED)/MANIFEST.json ## Environment, development tree and the installed collection

$(VENV)/.stamp-run: requirements/run.txt meta/ee-requirements.txt
	@python=$$(.ci/choose-python $(PYTHON_MINOR))
	.ci/make-venv "$$python" $(VENV)
	echo "Installing what an audit needs into $(VENV) ($$($(BIN)/python -V))"
	$(PIP_INSTALL) -r requirements/run.txt
	touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-run requirements/test.txt requirements/lint.txt
	@echo "Installing what the tests and linters need into $(VENV)"
	$(PIP_INSTALL) -r requirements/test.txt -r requirements/lint.txt
	touch $@

# atheris has wheels for some Pythons only, and is built with clang on others.
$(VENV)/.stamp-fuzz: $(VENV)/.stamp-dev requirements/fuzz.txt
	@$(PIP_INSTALL) --only-binary atheris -r requirements/fuzz.txt || {
	    echo "atheris has no wheel for $$($(BIN)/python -V) here: take another (make fuzz PYTHON=python3.11 VENV=.cache/venv/fuzz)." >&2
	    echo "make unit runs the same targets with hypothesis." >&2
	    exit 1
	}
	touch $@

# The checkout under the name that Ansible, mypy and pytest import it by.
$(TREE):
	@mkdir -p $(@D)
	ln -sfn ../../../.. $@

# The collection as users get it: packed, and installed from the package.
$(INSTALLED)/MANIFEST.json: $(VENV)/.stamp-run $(COLLECTION_SOURCES)
	@mkdir -p .cache
	exec 9>.cache/collection.lock
	flock 9
	rm -rf .cache/dist
	ansible-galaxy collection build --output-path .cache/dist . >/dev/null
	ansible-galaxy collection install --offline --no-deps --force -p .cache/collections .cache/dist/vigil-ports-*.tar.gz >/dev/null
	touch $@

.PHONY: docs
docs: env ## Write the pages and schemas that are made from the code
	@PYTHONPATH=.cache/tree python .ci/render-rules > .cache/rules.md
	mv .cache/rules.md docs/rules.md
	PYTHONPATH=.cache/tree python .ci/render-faults > .cache/trust.md
	mv .cache/trust.md docs/trust.md
	PYTHONPATH=.cache/tree python .ci/render-schemas > .cache/evidence.schema.json
	mv .cache/evidence.schema.json schemas/evidence.schema.json
	PYTHONPATH=.cache/tree python .ci/render-excusable > .cache/inventory.schema.json
	mv .cache/inventory.schema.json schemas/inventory.schema.json

$(DOCS)/.stamp: requirements/docs.txt requirements/run.txt meta/ee-requirements.txt
	@python=$$(.ci/choose-python 12)
	.ci/make-venv "$$python" $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/docs.txt
	touch $@

# antsibull-docs reads the collection as it is installed, and writes a log to the home directory.
.PHONY: docs-site
docs-site: $(DOCS)/.stamp $(INSTALLED)/MANIFEST.json ## The documentation as a site, in .cache/site/html; a warning or a dead link is an error
	@mkdir -p $(CACHE)/home
	HOME=$(CACHE)/home PATH="$(DOCS)/bin:$$PATH" python .ci/render-site .cache/site

.PHONY: recording
recording: env ## Record the first audit that the README shows (root)
	@python .ci/render-recording > .cache/first-audit.svg
	mv .cache/first-audit.svg docs/pictures/first-audit.svg

.PHONY: build
build: $(INSTALLED)/MANIFEST.json ## The package that is published, in .cache/dist
	@ls .cache/dist/*.tar.gz

.PHONY: lint
lint: lint-ruff lint-mypy lint-ansible lint-docs lint-changelog lint-shell lint-licences lint-workflows ## Read the sources: ruff, mypy, ansible-lint, antsibull-docs, changelog, REUSE, zizmor

.PHONY: lint-ruff
lint-ruff: env
	@ruff check --output-format concise .

.PHONY: lint-mypy
lint-mypy: env
	@mypy $(TREE)/plugins

# ansible-lint reads .ansible-lint: profile production, nothing skipped.
.PHONY: lint-ansible
lint-ansible: env
	@ansible-lint --offline --strict --nocolor

# antsibull-docs writes a log to the home directory: it gets one of its own.
.PHONY: lint-docs
lint-docs: env
	@mkdir -p $(CACHE)/home
	cd $(TREE)
	HOME=$(CACHE)/home antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .

.PHONY: lint-changelog
lint-changelog: env
	@antsibull-changelog lint
	antsibull-changelog lint-changelog-yaml --strict changelogs/changelog.yaml

.PHONY: lint-shell
lint-shell:
	@.ci/shellcheck .ci/* tests/sanity/run.sh

.PHONY: lint-licences
lint-licences: env
	@reuse lint --quiet || { reuse lint; exit 1; }

.PHONY: lint-workflows
lint-workflows: env
	@zizmor --offline --quiet .github/workflows

$(GATES)/.stamp: requirements/gates.txt
	@python=$$(.ci/choose-python)
	.ci/make-venv "$$python" $(GATES)
	$(GATES)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/gates.txt
	touch $@

.PHONY: gates
gates: $(GATES)/.stamp lint sanity-all ## What has to hold before a release: linters, sanity with every ansible-core, antsibull-nox with galaxy-importer
	@PATH="$(GATES)/bin:$$PATH" nox -s license-check docs-check build-import-check

.PHONY: sanity
sanity: $(VENV)/.stamp-run ## ansible-test sanity, nothing ignored; ARGS="--test pylint" narrows it
	@tests/sanity/run.sh $(ARGS)

.PHONY: sanity-all
sanity-all: ## The same with each supported ansible-core, in environments of their own
	@failed=
	for core in 2.19 2.20 2.21; do
	    $(MAKE) --no-print-directory sanity VENV=.cache/venv/$$core ANSIBLE_CORE=$$core || failed="$$failed $$core"
	done
	[ -z "$$failed" ] || { echo "Sanity failed with ansible-core:$$failed"; exit 1; }

# Most of them wait, for answers and time-outs: more at once than there are cores. Those that hold a rate come after them.
PACED := tests/unit/plugins/module_utils/_scan/test_time_and_rate.py
.PHONY: unit
unit: env ## Unit tests, and the parsers against the saved corpus; ARGS="-k name -x" narrows them
	@$(if $(ARGS),exec .ci/pytest-part unit tests/unit tests/fuzz $(ARGS))
	failed=0
	.ci/pytest-part unit -n 3 --dist loadfile --ignore=$(PACED) tests/unit tests/fuzz || failed=1
	.ci/pytest-part unit-paced $(PACED) || failed=1
	exit $$failed

.PHONY: fuzz
fuzz: env $(VENV)/.stamp-fuzz ## Look for inputs that break a parser, SECONDS=60 for each; ARGS="nmap_report" narrows it
	@PYTHONPATH=.cache/tree python tests/fuzz/fuzz.py --seconds $(SECONDS) $(ARGS)

.PHONY: integration
integration: env ## The fleet: real hosts in network namespaces (root)
	@.ci/system-packages check tests/integration/packages.txt || exit $$(( $$? == 75 ? 0 : 1 ))
	.ci/pytest-part integration tests/integration $(ARGS)

# What is planted, a whole audit of it, and hosts that write hostile text. The environment is made once, in one or two minutes.
NEWEST_PART := tests/integration/test_planted_state.py tests/integration/test_audit.py tests/integration/test_hostile_text.py
.PHONY: integration-newest
integration-newest: ## A short part of the fleet with the newest ansible-core, in an environment of its own (root)
	@[ "$(ANSIBLE_CORE)" != $(NEWEST_CORE) ] || exit 0  # the whole fleet runs with it
	if ! PYTHON= .ci/choose-python 12 >/dev/null 2>&1; then
	    mkdir -p .cache/test-logs
	    echo "not run: ansible-core $(NEWEST_CORE) needs Python 3.12, which is not here" | tee .cache/test-logs/integration-newest.log
	    exit 0
	fi
	.ci/system-packages check tests/integration/packages.txt || exit $$(( $$? == 75 ? 0 : 1 ))
	$(MAKE) --no-print-directory fleet-part PYTHON= VENV=.cache/venv/$(NEWEST_CORE) ANSIBLE_CORE=$(NEWEST_CORE)

.PHONY: fleet-part
fleet-part: env
	@.ci/pytest-part integration-newest $(NEWEST_PART)

.PHONY: bench
bench: env ## Time the work against public tools, and print one table (root); ARGS="listing" narrows it
	@PYTHONPATH=.cache/tree python tests/benchmarks/bench.py $(ARGS)

.PHONY: clean
clean: ## Remove what was made, reports excepted
	@rm -rf $(VENV) .cache .ansible .mypy_cache .nox .ruff_cache .pytest_cache .hypothesis
