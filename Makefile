# Every target makes .venv from requirements.txt when it is missing or out of date.

# the first Python on the path for which there are TensorFlow wheels
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALLED := .venv/installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# most of a test is Keras building graphs in Python, on one core
TWO := -n 2 --dist worksteal

.PHONY: search app test test-all lint docs bench clean

search: $(INSTALLED)  ## search VGG-style nets on the embedded digits for a minute, export the best
	$(BIN)/keras-cnn search --time 60s

app: $(INSTALLED)  ## the page on which exported models can be tried
	$(BIN)/keras-cnn app

test: $(INSTALLED)  ## the test suite without its slow tests
	$(BIN)/python -m pytest $(TWO) -m "not slow"

test-all: $(INSTALLED)  ## the whole test suite, as CI runs it; without Ray its tests are skipped
	-$(PIP) -e ".[ray]"
	$(BIN)/python -m pytest $(TWO)

docs: $(INSTALLED)  ## the documentation in site/; a dead link is an error
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) --group docs
	NO_MKDOCS_2_WARNING=1 TF_CPP_MIN_LOG_LEVEL=2 $(BIN)/mkdocs build --strict

bench: $(INSTALLED)  ## every benchmark: over an hour, on an idle machine, with TFDS_DATA_DIR where CIFAR-10 is
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) --group bench
	for name in epoch_stall augmentation batchnorm_statistics batchnorm_short_runs throughput time_to_accuracy lr_find serving search_cost many_trials keras_tuner_search crash damage monitor diagnosis; do \
		echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

lint: $(INSTALLED)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## remove the environment and caches; runs and exported models stay
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache .mypy_cache *.egg-info build site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found; install one, or make PYTHON=/path/to/python"; exit 2; }
	@echo "making .venv with $$($(PYTHON) --version) and installing requirements.txt into it, about a minute"
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	touch $@
