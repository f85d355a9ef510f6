# Every target works on a fresh machine and when no other target was ever called.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
LOCKS := requirements-dev.txt tools/requirements-installer.txt pyproject.toml
# Three workers for two cores: much of the suite waits for servers to start. PYTEST_ARGS adds to the command.
# Bytecode is kept for the run: a suite that starts hundreds of processes would compile the same modules in each.
WORKERS ?= 3

.PHONY: help setup run test check fix prove golden bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): $(LOCKS) tools/set-up
	@PYTHON='$(PYTHON)' tools/set-up
	@touch $@

setup: $(READY) ## Make .venv with everything that is needed, locked by hash

run: $(READY) ## Serve on http://localhost:8000, with SQLite under ./data
	@exec $(BIN)/lumio-server serve

test: $(READY) ## Check, then run every test (brings Chromium, nginx, iproute2 and PostgreSQL along)
	@tools/chromium
	@tools/nginx
	@tools/iproute
	@$(MAKE) --no-print-directory check
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

check: $(READY) ## Lint, format, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: $(READY) ## Mend what can be mended by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

PROVED := tests/fault/test_kill_under_load.py tests/fault/test_fleet_broad.py tests/fault/test_failover.py tests/simulation
prove: $(READY) ## Run the broad versions: 20,000 schedules, faults on a fleet, 200,000 authentications, kills
	LUMIO_PROVE=broad $(BIN)/python -m pytest -q -s --timeout 7200 $(PROVED)

golden: $(READY) ## Write the golden files anew; read the diff before you commit it
	LUMIO_GOLDEN=write $(BIN)/python -m pytest tests/golden

bench: $(READY) ## Measure against bare servers and peers, and write bench/results
	$(BIN)/python -m bench
	$(BIN)/python -m bench.audit_log

clean: ## Remove .venv and all caches; ./data stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
