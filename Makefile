# Every target works on a fresh clone with Python, venv and make: .venv is built once, by need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
LOWEST := .venv-lowest
# The other rooms don't meet the libraries whose lowest versions are tried.
MEETING_THEM := tests/net tests/cli tests/report tests/sweep tests/compare tests/hostile
LOWEST_READY := $(LOWEST)/.ready
PEERS := .venv-peers
PEERS_READY := $(PEERS)/.ready
PEERS_NPM := .peers-npm
AUTOCANNON := $(PEERS_NPM)/node_modules/.bin/autocannon

.PHONY: demo demo-places test test-all coverage test-slow test-lowest lint types ci check bench peers servers docs picture clean help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(INSTALLED) ## the main job, on the embedded server
	@echo "Measuring HTTP, then HTTPS, on a server on loopback (a few seconds) …"
	@$(BIN)/kab demo

demo-places: $(READY) ## the same from four places: the workers of a Dask cluster on this machine
	@$(BIN)/kab demo --places

ifdef CI # where their coverage is asked for, too: once is enough
test: coverage
else
test: $(READY) ## the fast tests (about two minutes)
	$(BIN)/python -m pytest -q -n 3 -m "not slow"
endif

test-all: coverage test-slow test-lowest ## every test, the fast ones with coverage and on the lowest versions too

# The fast tests alone are to cover the code: traced, the slow ones would take twice as long.
coverage: $(READY)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q -n 3 -m "not slow"
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

test-slow: $(READY)
	$(BIN)/python -m pytest -q -n 3 -m slow

test-lowest: $(LOWEST_READY)
	$(LOWEST)/bin/python -m pytest -q -n 3 -m "not slow" $(MEETING_THEM)

lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

ci: ## what CI runs: servers from apt, then lint, types, test-all
	.ci/run

check: lint types test ## what a commit must pass

bench: $(READY) ## the figures of cost and of honesty (an hour and a half; wants a quiet machine and nginx)
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/trace_overhead.py
	$(BIN)/python benchmarks/analysis_cost.py --million
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/verdicts.py
	$(BIN)/python benchmarks/precision.py
	$(BIN)/python benchmarks/aa.py
	$(BIN)/python benchmarks/wan_link.py
	$(BIN)/python benchmarks/under_load.py
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/places.py
	$(BIN)/python benchmarks/cluster.py

peers: $(PEERS_READY) $(AUTOCANNON) ## what benchmarks/peers.py measures that isn't Debian's (wants npm)

servers: $(READY) ## measure the servers people deploy, for docs/servers.md and docs/probe.md
	PYTHONPATH=tests $(BIN)/python -m servers.generate

docs: $(READY) ## write the pages, tables and JSON Schemas that are derived from the code
	PYTHONPATH=tests $(BIN)/python -m documents.generate

picture: $(READY) ## measure, and take docs/page.png, which README shows (wants chromium)
	PYTHONPATH=tests $(BIN)/python -m page.picture

clean: ## what the other targets built
	rm -rf $(VENV) $(LOWEST) $(PEERS) $(PEERS_NPM) .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(INSTALLED): pyproject.toml
	@echo "Building $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@echo "Updating pip in it …"
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@echo "Installing kab and the libraries that it needs …"
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(READY): $(INSTALLED)
	@echo "Installing what tests and checks need …"
	@$(BIN)/python -m pip install --quiet --group test --group servers --group browser --group lint
	@touch $@

$(LOWEST_READY): pyproject.toml
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(LOWEST)/bin/python -m pip install --quiet --editable . --group test \
		$$(sed -n '/^dependencies/,/^]/s/^    "\(click\|rich\|urllib3\)>=\([0-9.]*\).*/\1==\2/p' pyproject.toml)
	@touch $@

$(PEERS_READY): pyproject.toml
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(PEERS)/bin/python -m pip install --quiet --group peers
	@touch $@

$(AUTOCANNON):
	npm install --silent --no-audit --no-fund --prefix $(PEERS_NPM) autocannon@9
