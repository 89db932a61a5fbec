PYTHON ?= python3
BIN := .venv/bin

.PHONY: app test test-fast lint bench figures notebooks lessons install

app: install
	$(BIN)/mae-viz app

test: install lint
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder

test-fast: install
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder -m "not slow"

lint: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/ruff format --check .

bench: install
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

figures: install
	$(BIN)/mae-viz figure all --out figures

notebooks: install
	$(BIN)/python notebooks/execute.py

lessons: install
	$(BIN)/mae-viz lessons

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
	$(BIN)/pip install --quiet --editable ".[app,notebooks,train,dev]"
	touch $@
