PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0
UV := uv==0.13.9
LOCKED := --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes

.PHONY: app test check format docs screenshots load fuzz attack online lock

app: $(VENV)/.app  ## install what the app needs, start it, print its address
	$(BIN)/streamlit run app.py

test: $(VENV)/.test  ## install what the tests need, run everything
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -m "slow or browser"

check: $(VENV)/.test node_modules/.installed  ## format, lint, types, fast tests; of Python and of the browser side
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	npm run --silent check
	$(BIN)/python -m pytest -m "not slow and not browser"

format: $(VENV)/.test node_modules/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	npm run --silent format

docs: $(VENV)/.test  ## build the documentation into site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

screenshots: $(VENV)/.test  ## take the pictures of README and docs again
	$(BIN)/python -m tests.screenshots

load: $(VENV)/.test  ## ten visitors at once, a thousand queries, clicks in chromium: prints times and memory
	$(BIN)/python -m tests.load

fuzz: $(VENV)/.test  ## search for ten minutes for inputs that break something
	UNIGEOCLIP_FUZZ_SECONDS=$(or $(SECONDS),600) $(BIN)/python -m pytest tests/fuzz

attack: $(VENV)/.test  ## attack the started app, the command line and the caches; prints counts
	$(BIN)/python -m tests.attacks

online: $(VENV)/.test  ## ask the services of real data themselves, about 30 MB; writes dates into docs/real-cities.md
	$(BIN)/python -m tests.online

lock: $(VENV)/.test  ## after a change of versions: resolve all packages again and write their checksums
	$(BIN)/pip install --quiet --disable-pip-version-check $(UV)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m tests.lock

# Every package is one whose checksum stands in the lock files. torch comes alone and last, when all else that it needs
# is there: resolved together with the rest, pip may pick a build with gigabytes of CUDA.
$(VENV)/.app: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(LOCKED) -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	touch $@

$(VENV)/.test: $(VENV)/.app requirements-test.lock pyproject.toml setup.py
	$(BIN)/pip install $(LOCKED) -r requirements-test.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Checks of the browser side, which needs no packages to run. Only what package-lock.json names, by checksum, and no
# package's own script is run.
node_modules/.installed: package-lock.json
	npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
	touch $@
