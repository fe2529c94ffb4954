# Huuva. `make` lists the targets. Needs only a POSIX shell, make and Python 3.12 to 3.14.
.POSIX:
.SUFFIXES:
.DEFAULT_GOAL := help
.PHONY: help run demo test lint audit format bench chaos attack screenshots fuzz lock clean env env-dev

VENV = .venv
PY = $(VENV)/bin/python

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

run: env ## start everything: database, cache, web, live, worker, beat (Ctrl-C stops it)
	@exec $(PY) manage.py run

demo: env ## the same with a simulated dinner rush: make demo ARGS="--rate 6 --speed 10"
	@exec $(PY) manage.py run --demo $(ARGS)

test: env-dev ## run all tests, shared among processes: make test ARGS="-k recall -x"
	@exec $(PY) -m pytest --parallel $(ARGS)

lint: env-dev ## style, types, import rules, missing migrations
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m bandit --quiet --recursive --severity-level high core huuva orders kitchen_display analytics integrations bench
	$(PY) manage.py makemigrations --check --dry-run

audit: env-dev ## known vulnerabilities of the locked packages (asks PyPI's advisories: needs the internet)
	$(PY) -m pip_audit --requirement requirements.txt --disable-pip

format: env-dev ## bring the code into its form
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: env-dev ## measure the API: make bench ARGS="--seconds 10"
	@exec $(PY) -m bench $(ARGS)

chaos: env-dev ## kill parts under load, then check the data: make chaos ARGS="--only postgres"
	@exec $(PY) -m tests.chaos $(ARGS)

attack: env-dev ## stall, drip and flood while orders are posted: make attack ARGS="--only stalled"
	@exec $(PY) -m tests.attack $(ARGS)

screenshots: env-dev ## renew docs/screenshots/*.png from real pages
	$(PY) docs/screenshots/make.py
	$(PY) docs/screenshots/dashboard.py

fuzz: env-dev ## attack the API along its own OpenAPI, longer than `make test` does
	@HYPOTHESIS_PROFILE=fuzz FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-500} exec $(PY) -m pytest tests/fuzz tests/model $(ARGS)

lock: env-dev ## renew requirements*.txt from requirements*.in
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		requirements.in --output-file requirements.txt
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--constraint requirements.txt requirements-dev.in --output-file requirements-dev.txt

clean: ## remove the environment and caches; var/ with your data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

env: ## make .venv with what running needs
	@sh deploy/environment.sh requirements.txt

env-dev: ## make .venv with what tests and lint need
	@sh deploy/environment.sh requirements-dev.txt
