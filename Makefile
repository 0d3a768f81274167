# Everything runs in .venv, which `make demo` and `make test` build when it is not there.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test slow lint clean

.venv/ready: pyproject.toml constraints.txt
	@echo "making .venv: a minute or more, mostly for torch"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,dev]'
	touch $@

demo: .venv/ready
	$(BIN)/rnncli train configs/sentiment.yaml --force --out runs/demo
	$(BIN)/rnncli predict runs/demo data/reviews/new.csv --probabilities

test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow"

slow: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m slow

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv runs build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
