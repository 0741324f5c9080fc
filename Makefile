# One command for each thing a person does here; `make` alone lists them.
# Everything lands in .venv; nothing is installed anywhere else, except by `make test` as root
# (see .ci/install-parts.sh).

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# Each worker starts its own PostgreSQL; two keep two cores busy.
WORKERS ?= 2

# The stamps: what was installed, and from which lock. A second run finds them and does nothing.
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help demo test bench bench-detection lint lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-15s %s\n", $$1, $$2}' Makefile

demo: $(RUN) ## set up, then watch the departures of New York in 2013 (Ctrl-C stops, again continues)
	@$(BIN)/driftwatch demo

test: $(DEV) ## set up, then check style, types, layers and run every test
	@.ci/install-parts.sh
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

lint: $(DEV) ## check style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV) ## run the benchmarks and print their tables
	$(BIN)/python -m benchmarks

bench-detection: $(DEV) ## how often drift is missed or imagined, beside other tools
	$(BIN)/python -m benchmarks.detection

lock: $(DEV) ## pin the dependencies again, with hashes, to the newest that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--upgrade --extra build --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--upgrade --extra build --extra dev --extra parquet --extra dashboards --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## remove the environment, caches, builds and what the demo has written
	rm -rf $(VENV) build dist demo-run .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@python=$$(.ci/find-python.sh $(PYTHON)) && \
		echo "Setting up $(VENV) with $$python" && "$$python" -m venv --clear $(VENV)

$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies (once)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# The lock for development holds all of the other one, so this sets up both.
$(DEV): requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies for development (once)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(RUN) $@
