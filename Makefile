# make app   sets up .venv, prepares a drawn demo where there is no catalogue, opens the app
# make test  sets up .venv, checks the format, runs the whole test suite
# make bench sets up .venv, runs the short benchmarks; the others of benchmarks/ by hand
#
# PYTHON=python3.12 chooses another interpreter, PIP_ARGS="--index-url ..." another package index
# (PyTorch's CPU build is much smaller; README says how), PORT=8600 another port of the app.

PYTHON ?= python3
PIP_ARGS ?=
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test bench lint format clean

app: $(VENV)/.installed
	$(BIN)/python -m mmcore serve --demo --open --port $(PORT)

test: $(VENV)/.installed-test lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST_ARGS)

bench: $(VENV)/.installed-test
	PYTHONPATH=. $(BIN)/python benchmarks/run_short.py

lint: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(VENV)/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: $(PYTHON) was not found; install Python 3.11 or newer, or run make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $$($(PYTHON) --version) is too old; Python 3.11 or newer is needed: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "error: $(PYTHON) can't make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.installed: requirements.txt $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -r requirements.txt
	@touch $@

$(VENV)/.installed-test: requirements.txt requirements-test.txt $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -r requirements-test.txt
	@touch $(VENV)/.installed $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
