# The two commands for a fresh machine are `make demo` and `make test`. `make check` runs everything that CI runs.
# They need Python 3.11 or newer and a package index. Everything is installed in .venv, nothing outside this folder.

PYTHON      ?= python3
VENV        ?= .venv
PYTEST_ARGS ?=
BIN         := $(VENV)/bin
INSTALL     := $(BIN)/python -m pip install --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types stubs docs contracts check clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(VENV)/.installed-demo  ## check, draw and train LeNet on handwritten digits, under a minute
	@$(BIN)/shapeplan demo

# pyproject.toml sets -q; a second one would hide pytest's summary line.
# Tests in one file share what is planned once: worksteal gives each core a stretch of the suite. Many tests start a
# process, which would compile both packages again if Python may not keep bytecode.
test campaign: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.installed-test  ## run the full test suite on all cores, including doctests (PYTEST_ARGS="-k window")
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.installed-test  ## run ruff
	$(BIN)/ruff check .

format: $(VENV)/.installed-test  ## let ruff fix what it can
	$(BIN)/ruff check --fix .

types: $(VENV)/.installed-test  ## run mypy in strict mode
	$(BIN)/mypy

stubs: $(VENV)/.installed-test  ## regenerate the stub of the layer functions from the vocabulary
	PYTHONPATH=. $(BIN)/python -m planner.constructors.stub

contracts: $(VENV)/.installed-test  ## check the import contracts: which module may import which
	PYTHONPATH=. $(BIN)/lint-imports

docs: $(VENV)/.installed-test  ## write the generated parts of the documentation
	PYTHONPATH=. $(BIN)/python docs/generate.py

check: lint types contracts test  ## run everything that CI runs

clean:  ## remove the environment, caches and builds
	rm -rf $(VENV) build dist shapeplan-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "error: \`$(PYTHON)\` is not on PATH; choose one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: shapeplan needs Python 3.11 or newer, and \`$(PYTHON)\` is $$("$(PYTHON)" --version 2>&1);" \
	    "choose a newer one: make PYTHON=python3.12" >&2; exit 1; }
	"$(PYTHON)" -m venv "$(VENV)"
	@touch $@

# A stamp that is newer than pyproject.toml means that nothing needs to be installed again.
$(VENV)/.installed-demo: pyproject.toml | $(VENV)/.created
	$(INSTALL) -e '.[all]'
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/.created
	$(INSTALL) -e '.[all,test,dev]'
	@touch $@ $(VENV)/.installed-demo

.PHONY: campaign fuzz property bench bench-check
SECONDS  ?= 300
NETWORKS ?= 4000

campaign: $(VENV)/.installed-test  ## run the tests with more cases, which `make test` leaves out; takes minutes
	$(BIN)/python -m pytest -n auto --dist worksteal -m campaign $(PYTEST_ARGS)

property: $(VENV)/.installed-test  ## compare accepted sizes of thousands of random networks with brute force (NETWORKS=4000)
	PYTHONPATH=. $(BIN)/python -m tests.planner.domain.test_random_networks --networks $(NETWORKS)

fuzz: $(VENV)/.installed-test  ## run hostile and random specs through the whole check (SECONDS=300)
	PYTHONPATH=. $(BIN)/python -m tests.fuzz.fuzz_spec --hostile
	PYTHONPATH=. $(BIN)/python -m tests.fuzz.fuzz_spec --seconds $(SECONDS)

bench: $(VENV)/.installed-test  ## compare steps, passes, memory and growth with the installed libraries (BENCH="train --nets lenet5")
	PYTHONPATH=. $(BIN)/python -m tests.benchmarks $(BENCH)

bench-check: $(VENV)/.installed-test  ## time the check, compared with the installed tools
	PYTHONPATH=. $(BIN)/python -m tests.benchmarks.checking
