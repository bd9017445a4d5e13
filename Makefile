# Every target does its own set-up: a virtual environment in .venv, installed from pyproject.toml
# with the pins of constraints.txt. A stamp file remembers that, so a second run starts at once.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2

BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
DOCS_STAMP := $(VENV)/.installed-docs
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

demo: $(RUN_STAMP)  ## train an LSTM on real text messages, score it, save it, use it
	$(BIN)/tidegate demo $(ARGS)

test: $(DEV_STAMP)  ## run the tests (ARGS="tests/test_tiny.py -k lstm" picks some)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -q $(ARGS)

lint: $(DEV_STAMP)  ## check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(DEV_STAMP)  ## repair what ruff can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(RUN_STAMP)  ## list the benchmarks; ARGS="NAME" runs one
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(DOCS_STAMP)  ## build the documentation into site/
	$(BIN)/python docs/generate_cli.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:  ## remove the environment and everything built
	rm -rf $(VENV) site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "tidegate needs Python 3.10 or newer; got $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 ..." >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing tidegate into $(VENV) (a few minutes the first time) ..."
	@$(PIP) -e .
	@touch $@

$(DEV_STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing tidegate and its development tools into $(VENV) (a few minutes the first time) ..."
	@$(PIP) -e ".[dev]"
	@touch $(RUN_STAMP) $@

$(DOCS_STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing tidegate and its documentation tools into $(VENV) (a few minutes the first time) ..."
	@$(PIP) -e ".[docs]"
	@touch $(RUN_STAMP) $@
