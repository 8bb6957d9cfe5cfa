PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0

.PHONY: app test check format screenshots load

app: $(VENV)/.app  ## install what the app needs, start it, print its address
	$(BIN)/streamlit run app.py

test: $(VENV)/.test  ## install what the tests need, run everything
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -m "slow or browser"

check: $(VENV)/.test  ## format, lint, types, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not slow and not browser"

format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: $(VENV)/.test  ## take the pictures in README anew
	$(BIN)/python -m tests.screenshots

load: $(VENV)/.test  ## ten visitors at once, a thousand queries, clicks in chromium: prints times and memory
	$(BIN)/python -m tests.load

# torch comes first and alone: resolved together with the rest, pip may pick a build with gigabytes of CUDA.
$(VENV)/.app: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.test: $(VENV)/.app
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .[test]
	touch $@
