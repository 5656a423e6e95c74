# `make` prints what there is. Everything is set up by itself: Python 3.11+, make and a network are enough.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
T ?=
MANIFEST ?=
KEEP ?=

.PHONY: help up demo test check bench soak invariants access states asvs lock contracts release schema clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

up: $(READY) ## Start everything, play the demo manifest once, serve until Ctrl-C; the next start resumes
	@exec $(BIN)/python -m deploy.local up

demo: $(READY) ## Play one run in a throw-away folder and end with JSON; MANIFEST=path.csv KEEP=folder
	@exec $(BIN)/python -m deploy.local demo $(if $(KEEP),--keep "$(KEEP)") $(if $(MANIFEST),"$(MANIFEST)")

test: $(READY) ## Run all tests on a real Kafka and PostgreSQL; T="tests/intake -k manifest" runs a part
	@exec $(BIN)/pytest $(or $(T),--numprocesses=auto --maxprocesses=4)

check: $(READY) ## Formatters, linters, types, architecture, SQL, contracts, compose and Kubernetes files, ASVS
	@failed=; \
	step() { name=$$1; shift; echo "== $$name" >&2; "$$@" || failed="$$failed $$name"; }; \
	step format $(BIN)/ruff format --check .; \
	step lint $(BIN)/ruff check .; \
	step types $(BIN)/mypy; \
	step imports $(BIN)/lint-imports; \
	step sql $(BIN)/squawk $(SQL); \
	step compose $(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml; \
	step kubernetes $(BIN)/kubernetes-validate --quiet --strict $(KUBERNETES); \
	step architecture $(BIN)/pytest -rs tests/architecture tests/contracts tests/deploy \
		tests/asvs/test_matrix.py tests/asvs/test_security_document.py; \
	[ -z "$$failed" ] || { echo "not in order:$$failed" >&2; exit 1; }; \
	echo "everything is in order" >&2

bench: $(READY) ## Run the benchmarks; writes tests/benchmarks/results.json
	@exec $(BIN)/python -m tests.benchmarks

soak: $(READY) ## Run the property and fault tests for long
	@exec env HYPOTHESIS_PROFILE=soak $(BIN)/pytest -m "hypothesis or fault or slow" --timeout=3600 $(T)

invariants: $(READY) ## Run exactly the tests that prove the promises of docs/invariants.md
	@exec $(BIN)/python -m tests.invariants

access: $(READY) ## Write docs/access.md anew: who may do what, from the table that every route is held against
	@exec $(BIN)/python -m tests.access

states: $(READY) ## Write docs/states.md anew: the two machines of referral, drawn from their tables
	@exec $(BIN)/python -m tests.states

asvs: $(READY) ## Write docs/asvs.md anew: each requirement of the standard with what proves it
	@exec $(BIN)/python -m tests.asvs

contracts: $(READY) ## Write the JSON Schemas, AsyncAPI and OpenAPI documents anew
	@exec $(BIN)/python -m tests.contracts.export

release: $(READY) ## Take today's contracts for what has been released; the gate compares with them from then on
	@exec $(BIN)/python -m tests.contracts.export release

schema: $(READY) ## Write each service's schema.sql anew from its migrations
	@exec $(BIN)/python -m tests.schema

lock: $(BIN)/uv ## Resolve the dependencies anew
	@$(BIN)/uv pip compile pyproject.toml --group local --group dev --universal --generate-hashes \
		--custom-compile-command "make lock" -o requirements.lock >/dev/null
	@$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes \
		--custom-compile-command "make lock" -o requirements-services.lock >/dev/null

clean: ## Remove what `make up` wrote (the data of the local stack) and the caches
	@rm -rf .rujukan .ruff_cache .mypy_cache .import_linter_cache .hypothesis

SQL = $(wildcard shared/kit/sql/*.sql services/*/migrations/*.sql)
KUBERNETES = $(shell find deploy/k8s -name '*.yaml' ! -name 'kustomization.yaml')

# Set up once; a warm start costs the comparison of a few time stamps.
$(READY): requirements.lock pyproject.toml $(BIN)/uv
	@echo "Installing the dependencies …" >&2
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements.lock >&2
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(BIN)/uv: | $(BIN)/python
	@echo "Installing uv …" >&2
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<0.14" >&2 || { \
		echo "uv could not be installed from the package index. Is there a network?" >&2; exit 1; }

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 …" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments (ensurepip is missing). Try: apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV) >&2
