# Two commands do all set-up: `make demo` and `make test`. Both only need Python >= 3.11 and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Pins the build tools too.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-teach test-all lint format bench clean

help: ## Show these lines
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Auzolan needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 2; }
	@echo "installing into $(VENV) (once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable '.[dev,run]'
	@touch $@

demo: $(VENV)-teach/.made ## The story so far, offline after installation; leaves its commons in demo/
	AUZOLAN=$(CURDIR)/$(VENV)-teach/bin/auzolan recipes/town.sh demo

test: $(VENV)/.dev ## All tests but the slow ones
	$(BIN)/python -m pytest -q -n auto --dist loadgroup -m "not slow"

$(VENV)-teach/.made: pyproject.toml constraints.txt
	@echo "installing into $(VENV)-teach (once; PyTorch is large)"
	$(PYTHON) -m venv $(VENV)-teach
	@grep -v '^mpmath=' constraints.txt > $(VENV)-teach/constraints.txt # PyTorch's sympy asks for an older one
	PIP_CONSTRAINT=$(CURDIR)/$(VENV)-teach/constraints.txt $(VENV)-teach/bin/python -m pip install --quiet torch==2.13.0
	PIP_CONSTRAINT=$(CURDIR)/$(VENV)-teach/constraints.txt $(VENV)-teach/bin/python -m pip install --quiet \
	  --editable '.[dev,teach,engine,run,clients]'
	@touch $@

test-teach: $(VENV)-teach/.made ## Tests of what needs PyTorch, llama.cpp or others' clients
	$(VENV)-teach/bin/python -m pytest -q -m "not slow" tests/teach tests/recipes tests/pocket \
	  tests/run/admission tests/run/engine tests/run/clients tests/run/gateway/test_fuzz.py \
	  tests/run/test_pages.py tests/run/test_tutorial_town.py

test-all: $(VENV)/.dev $(VENV)-teach/.made ## Slow ones too, and longer fuzzing
	AUZOLAN_FUZZ_SECONDS=$${AUZOLAN_FUZZ_SECONDS:-120} $(BIN)/python -m pytest -q -n auto --dist loadgroup
	$(VENV)-teach/bin/python -m pytest -q -m slow tests/run tests/teach

lint: $(VENV)/.dev ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Lay out the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.base ## Measure against peers (own environment); see docs/benchmarks.md
	bench/run.sh

clean: ## Remove what was built
	rm -rf $(VENV) .venv-* demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
