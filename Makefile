# Two commands for a fresh machine: `make demo` and `make test`. `make check` is all that CI runs.
# Needs Python 3.11 or newer and a package index; everything lands in .venv, nothing outside this folder.

PYTHON      ?= python3
VENV        ?= .venv
PYTEST_ARGS ?=
BIN         := $(VENV)/bin
INSTALL     := $(BIN)/python -m pip install --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types stubs docs contracts check clean

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(VENV)/.installed-demo  ## check, draw and train LeNet on handwritten digits, under a minute
	@$(BIN)/shapeplan demo

# -q stands in pyproject.toml; a second one would hide pytest's closing line.
# Neighbours in a file share what is planned once: worksteal gives each core a stretch of the suite.
test: $(VENV)/.installed-test  ## the full test suite on all cores, doctests included (PYTEST_ARGS="-k window")
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.installed-test  ## ruff
	$(BIN)/ruff check .

format: $(VENV)/.installed-test  ## let ruff repair what it can
	$(BIN)/ruff check --fix .

types: $(VENV)/.installed-test  ## mypy, strict
	$(BIN)/mypy

stubs: $(VENV)/.installed-test  ## the stub of the layer functions, written again from the vocabulary
	PYTHONPATH=. $(BIN)/python -m planner.constructors.stub

contracts: $(VENV)/.installed-test  ## who may import whom
	PYTHONPATH=. $(BIN)/lint-imports

docs: $(VENV)/.installed-test  ## write the generated parts of the documentation
	PYTHONPATH=. $(BIN)/python docs/generate.py

check: lint types contracts test  ## everything CI runs

clean:  ## remove the environment, caches and builds
	rm -rf $(VENV) build dist shapeplan-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "error: there is no \`$(PYTHON)\` on PATH; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: shapeplan needs Python 3.11 or newer, and \`$(PYTHON)\` is $$("$(PYTHON)" --version 2>&1);" \
	    "name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	"$(PYTHON)" -m venv "$(VENV)"
	@touch $@

# The stamps are newer than pyproject.toml as long as nothing has to be installed again.
$(VENV)/.installed-demo: pyproject.toml | $(VENV)/.created
	$(INSTALL) -e '.[all]'
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/.created
	$(INSTALL) -e '.[all,test,dev]'
	@touch $@ $(VENV)/.installed-demo

.PHONY: campaign fuzz property bench bench-check
SECONDS  ?= 300
NETWORKS ?= 4000

campaign: $(VENV)/.installed-test  ## the tests with more cases that `make test` leaves out, some minutes
	$(BIN)/python -m pytest -n auto --dist worksteal -m campaign $(PYTEST_ARGS)

property: $(VENV)/.installed-test  ## accepted sizes of thousands of random networks against brute force (NETWORKS=4000)
	PYTHONPATH=. $(BIN)/python -m tests.planner.domain.test_random_networks --networks $(NETWORKS)

fuzz: $(VENV)/.installed-test  ## hostile and random specs through the whole check (SECONDS=300)
	PYTHONPATH=. $(BIN)/python -m tests.fuzz.fuzz_spec --hostile
	PYTHONPATH=. $(BIN)/python -m tests.fuzz.fuzz_spec --seconds $(SECONDS)

bench: $(VENV)/.installed-test  ## steps, passes, memory and growth beside who is installed (BENCH="train --nets lenet5")
	PYTHONPATH=. $(BIN)/python -m tests.benchmarks $(BENCH)

bench-check: $(VENV)/.installed-test  ## times of checking, beside other tools where they are installed
	PYTHONPATH=. $(BIN)/python -m tests.benchmarks.checking
