# Every target does its own set-up: a virtual environment in .venv, installed from pyproject.toml
# with the pins of constraints.txt. A stamp file remembers that, so a second run starts at once.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2

BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
LIBRARY_STAMP := build/native/.built
DEV_STAMP := $(VENV)/.installed-dev
DOCS_STAMP := $(VENV)/.installed-docs
# Apart from everything else: the package runs without them, and so do the tests of all else.
PEERS := $(VENV)/peers
PEERS_STAMP := $(PEERS)/.installed
# The library is compiled by native/build.sh, not by pip: that is quick when little has changed, and
# says what went wrong. CMake is installed where the machine has none.
PIP := SKBUILD_WHEEL_CMAKE=false SKBUILD_EDITABLE_MODE=inplace \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
  $(if $(shell command -v cmake),,cmake)
NATIVE := PATH="$(abspath $(BIN)):$$PATH" JOBS=$(JOBS) native/build.sh
NATIVE_SOURCES := CMakeLists.txt $(wildcard native/*.* native/*/*.*)
CLANG_FORMAT := $(BIN)/clang-format $(wildcard native/*/*.h native/*/*.cc)

.DEFAULT_GOAL := help
.PHONY: help demo test native-test lint format bench peers docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

demo: $(RUN_STAMP) $(LIBRARY_STAMP)  ## train an LSTM on real text messages, score it, save it, use it
	$(BIN)/tidegate demo $(ARGS)

test: $(DEV_STAMP)  ## run the tests (ARGS="tests/test_tiny.py -k lstm" picks some)
	$(NATIVE) test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -q $(ARGS)

native-test: $(RUN_STAMP)  ## run the tests of the C library (SANITIZE=address,undefined or thread)
	SANITIZE=$(SANITIZE) $(NATIVE) test

lint: $(DEV_STAMP)  ## check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(CLANG_FORMAT) --dry-run --Werror
	$(BIN)/mypy

format: $(DEV_STAMP)  ## repair what ruff and clang-format can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(CLANG_FORMAT) -i

bench: $(RUN_STAMP) $(LIBRARY_STAMP)  ## measure layers and their peers (ARGS="list" names other benchmarks)
	PYTHONPATH=$(PEERS) $(BIN)/python -m benchmarks $(ARGS)

peers: $(PEERS_STAMP)  ## install what make bench compares with (JAX, ONNX Runtime, OpenVINO, Keras)

docs: $(DOCS_STAMP)  ## build the documentation into site/
	$(BIN)/python docs/generate_cli.py
	$(BIN)/python -m docs.generate_benchmarks
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:  ## remove the environment and everything built
	rm -rf $(VENV) site build dist src/tidegate/kernels/*tidegate.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
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

# A compiler that fails here stops nobody: the nets run without the library, too. `make test` is
# strict. Without a compiler there is no folder to put the stamp into.
$(LIBRARY_STAMP): $(NATIVE_SOURCES) | $(RUN_STAMP)
	@$(NATIVE) && if [ -d $(@D) ]; then touch $@; fi || \
	  echo "tidegate: the C library did not compile; going on without it." >&2

$(DEV_STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing tidegate and its development tools into $(VENV) (a few minutes the first time) ..."
	@$(PIP) -e ".[dev]"
	@touch $(RUN_STAMP) $@

$(PEERS_STAMP): benchmarks/requirements.txt constraints.txt | $(RUN_STAMP)
	@echo "Installing the peers into $(PEERS) (about 1 GB) ..."
	@$(PIP) --upgrade --target $(PEERS) -r benchmarks/requirements.txt
	@touch $@

$(DOCS_STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing tidegate and its documentation tools into $(VENV) (a few minutes the first time) ..."
	@$(PIP) -e ".[docs]"
	@touch $(RUN_STAMP) $@
