# Two commands on a fresh machine: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow test-ray test-quant test-vision test-docs test-gpu gpu lint format types \
	bench mutants fuzz stored-study dist docs gallery notebook clean

demo: $(VENV)/.installed
	$(BIN)/w2s run

# Processes that tests start find our modules compiled, also where the environment forbids it.
test: $(VENV)/.installed
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not gpu"

test-slow: $(VENV)/.installed
	$(BIN)/python -m pytest -m slow

test-ray: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[ray]"
	$(BIN)/python -m pytest tests/engine/on_ray

test-quant: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[quant]"
	$(BIN)/python -m pytest tests/models/test_few_bits.py

test-vision: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[vision]"
	$(BIN)/python -m pytest tests/models/test_timm.py

.PHONY: test-track
# trackio wants an older Pillow than the one that is pinned: its test is run where it is installed.
test-track: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e ".[tensorboard,wandb]"
	$(BIN)/python -m pytest tests/engine/test_trackers.py

test-docs: $(VENV)/.docs
	$(BIN)/python -m pytest tests/docs tests/report/test_notebook.py

test-gpu: $(VENV)/.installed
	$(BIN)/python -m pytest -m gpu

# About 8 minutes on one GPU; FLAGS="--device cpu --tiny" only shows that it runs.
gpu: $(VENV)/.installed
	$(BIN)/python benchmarks/gpu.py $(FLAGS)

lint: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/.installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(VENV)/.installed
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/finetune.py
	$(BIN)/python benchmarks/probes.py
	$(BIN)/python benchmarks/report.py
	$(BIN)/python benchmarks/engines.py
	$(BIN)/python benchmarks/coverage.py --trials 400
	$(BIN)/python benchmarks/calibration.py --trials 400

# A run that goes on where it was stopped; see CONTRIBUTING.md for its flags.
mutants: $(VENV)/.installed
	$(BIN)/python tests/mutation $(FLAGS)

# At most 10 minutes; a second call goes on. See CONTRIBUTING.md for its flags.
fuzz: $(VENV)/.installed
	$(BIN)/python tests/fuzz $(FLAGS)

# Only where a change can change the numbers of stages that it makes anew.
stored-study: $(VENV)/.installed
	$(BIN)/python tests/stored/write.py

# Wheel and source archive in dist/, and a study from the wheel in an environment of its own.
dist: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dist]"
	PYTHON=$(BIN)/python .ci/dist

# The site in build/docs, offline. What it needs is installed once, and then nothing is asked.
docs: $(VENV)/.docs
	$(BIN)/sphinx-build -q -W --keep-going docs build/docs
	@echo "Written to build/docs/index.html"

# Runs each study of the page, which takes long; a folder that is named keeps them.
gallery: $(VENV)/.installed
	$(BIN)/python docs/gallery.py $(FLAGS)

# Where its numbers change.
notebook: $(VENV)/.docs
	$(BIN)/python docs/notebooks/write.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,lint]'
	touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	touch $@
