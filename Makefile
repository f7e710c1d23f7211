# Every target sets itself up from a fresh clone: it needs make and a python3 of 3.11 or newer, nothing else.
# Another interpreter: make test PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
CORE := $(VENV)/.core-installed
DEV := $(VENV)/.dev-installed

.PHONY: demo test check bench docs picture readme clean

# The main job: a minute of video, a real video model, a real language model.
demo: $(CORE)
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

# Every test, the doctests among them.
test: $(DEV)
	@$(BIN)/python -m pytest -n auto

# What CI runs: style, types, layers, documentation, then every test.
check: $(DEV)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/sphinx-build -W --keep-going -n -q docs docs/_build/html
	@$(BIN)/python -m pytest -n auto

# How fast it is on this machine: estimates, searches and sweeps a second, how cost grows, and peers that are installed.
bench: $(DEV)
	@$(BIN)/python -m benchmarks

docs: $(DEV)
	@$(BIN)/sphinx-build -W --keep-going -n -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

# The picture in the README: a real answer, drawn from the real command.
picture: $(CORE)
	@$(BIN)/python tools/picture.py

# The figures in the README: those of the last fit.
readme: $(CORE)
	@$(BIN)/python tools/readme.py

clean:
	rm -rf $(VENV) docs/_build

# All packages come by name, version and hash from the constraints files, SciPy for ranges among them; costline itself is
# installed in place.
$(CORE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "costline needs Python 3.11 or newer: make PYTHON=...")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --no-deps --require-hashes -r constraints.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(CORE) constraints-dev.txt
	@$(PIP) install --no-deps --require-hashes -r constraints-dev.txt
	@touch $@
