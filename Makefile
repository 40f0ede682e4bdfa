# make install   environment in .venv        make test        tests, under 10 minutes
# make demo      train and master, 6 min     make test-slow   the long proofs; records their result
# make lint      style                       make types       static types
# make bench     speed against peers         make docs        tables that commands produce
# make bench-gpu speed on a GPU, 8 minutes
# make site      documentation, build/site   make hooks       style and types before each commit
# make studio    the page, on the bundled songs

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
STAMP := $(VENV)/.installed

.PHONY: install demo test test-slow lint types bench bench-gpu docs site hooks studio clean

install: $(STAMP)

# What runs the library. Python, then pip, then the package itself.
$(BASE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; name one with: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $(BASE)

# And what develops it.
$(STAMP): $(BASE)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps litdata  # without torchvision: see the extra streamed
	@touch $(STAMP)

demo: $(BASE)
	$(BIN)/nm-demo

test: install
	$(BIN)/python -m pytest -n 2 --dist loadgroup

test-slow: install
	$(BIN)/python -m pytest -m slow -n 2 --record=docs/slow_tests.md

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/pyright

# glibc keeps its large buffers, for both sides: without it each would pay the kernel for fresh pages
bench: install
	MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=2147483648 $(BIN)/python -m benchmarks.run_all

bench-gpu: install
	MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=2147483648 $(BIN)/python -m benchmarks.on_gpu

docs: install
	$(BIN)/python docs/build_tables.py

site: install
	$(BIN)/python docs/build_site.py

studio: $(BASE)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[studio]'
	$(BIN)/nm-studio --project runs/studio neural_mastering/assets/demo/*.ogg

hooks: install
	$(BIN)/pre-commit install

clean:
	rm -rf $(VENV) build dist *.egg-info
