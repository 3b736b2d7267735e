# One place for every command. `make` prints this list.
PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: help install demo test check format lint types soak lock docs vendor serve clean
help:  ## prints this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("kg needs Python 3.11 or newer; run make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(STAMP)  ## makes .venv with everything, from the lock file

demo: $(STAMP)  ## builds a graph of seeds/documents, shows its facts with their sentences, answers three questions
	@$(BIN)/kg demo

test: $(STAMP)  ## runs all tests, on two processes
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

format: $(STAMP)  ## formats the code
	@$(BIN)/ruff format kg tests benchmarks && $(BIN)/ruff check --fix kg tests benchmarks

lint: $(STAMP)  ## checks format and style
	@$(BIN)/ruff format --check kg tests benchmarks && $(BIN)/ruff check kg tests benchmarks

types: $(STAMP)  ## checks types
	@$(BIN)/mypy

check: lint types test  ## what continuous integration runs

soak: $(STAMP)  ## long fault, load and fuzz runs
	@$(BIN)/python -m pytest -m soak --timeout 3600

docs: $(STAMP)  ## writes the generated pages of docs/ anew
	@$(BIN)/python -m kg.cli.reference

lock: $(STAMP)  ## pins all packages anew
	@$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe --no-header --no-annotate --extra dev --extra fast --output-file requirements.lock pyproject.toml

vendor:  ## fetches the front-end bundles and the font of kg/vendor/ anew (needs npm)
	@$(PYTHON) scripts/vendor.py

serve: $(STAMP)  ## serves the store on http://127.0.0.1:8000
	@$(BIN)/kg serve

clean:  ## removes what can be made again
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache kg-store
