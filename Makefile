# Everything a contributor runs. `make` alone lists the targets; ARGS="..." is passed on to the program behind a target.

VENV ?= .venv
BIN := $(VENV)/bin
DATA_VENV ?= .venv-data
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
DATA := $(DATA_VENV)/.installed
PEERS_VENV ?= .venv-peers
PEERS := $(PEERS_VENV)/.installed
LOCKS := runtime build validation dev data peers
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help dev demo serve test lint format bench lock municipalities-check variants-check system-packages clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: $(DEV) ## make .venv with everything for working on the code

demo: $(RUNTIME) ## show the whole authority at work on this machine, from ceremony to revocation
	@.ci/system-packages openssl
	$(BIN)/jpki demo $(ARGS)

serve: $(RUNTIME) ## start the web service
	$(BIN)/jpki serve $(ARGS)

test: system-packages lint ## check everything: programs, style, types, imports, tests (ARGS="-k ocsp")
	$(BIN)/python -m pytest $(ARGS)

lint: $(DEV) ## check style, format, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd kit && $(abspath $(BIN))/lint-imports

format: $(DEV) ## repair style and format where that can be done safely
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) $(PEERS) ## measure beside limits and peers in 5 minutes (ARGS=--wanted in 12, ARGS=--full in 40)
	@.ci/system-packages openssl cfssl wrk
	$(BIN)/python -m bench --peers $(PEERS_VENV) $(ARGS)

lock: $(DEV) ## write requirements/*.txt from *.in (ARGS=--upgrade for the newest versions)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "lock with Python 3.11, the oldest we support")'
	for name in $(LOCKS); do \
	  CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet $(ARGS) \
	    --output-file requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

municipalities-check: $(DATA) ## say whether the municipality table is what its two sources give
	$(DATA_VENV)/bin/python config/data/make_municipalities.py --check
	$(DATA_VENV)/bin/python config/data/make_town.py --check

variants-check: $(DATA) ## say whether the tables of variant characters are what their source gives
	$(DATA_VENV)/bin/python config/data/make_variants.py --check

system-packages: ## install the programs the tests talk to, where they are missing
	@.ci/system-packages

clean: ## remove environments, caches and build output; leaves jpki-state alone
	rm -rf $(VENV) $(DATA_VENV) $(PEERS_VENV) build dist kit/build kit/*.egg-info *.egg-info .coverage htmlcov .hypothesis \
	  .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@.ci/python >/dev/null 2>&1 || .ci/system-packages python
	"$$(.ci/python)" -m venv $(VENV)

# Hashes are checked for every download; the project itself is linked in without any (--no-deps, --no-build-isolation).
$(RUNTIME): requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUNTIME)
	$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# An environment of its own: what bench measures against brings other versions of much.
$(PEERS): requirements/peers.txt
	@.ci/python >/dev/null 2>&1 || .ci/system-packages python
	"$$(.ci/python)" -m venv $(PEERS_VENV)
	$(PEERS_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/peers.txt
	@touch $@

# An environment of its own: the sources of the table hold back what the checks need (see requirements/data.in).
$(DATA): requirements/data.txt
	@.ci/python >/dev/null 2>&1 || .ci/system-packages python
	"$$(.ci/python)" -m venv $(DATA_VENV)
	$(DATA_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/data.txt
	@touch $@
