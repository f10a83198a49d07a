# The two commands of this project are `make run` and `make test`; `make help` lists the rest.
# Every recipe uses relative paths in quotes or none at all, so that a checkout may lie in a folder with spaces.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint bench bugs soak corpus outcomes pictures docs locks clean

# Names in Chinese must survive a terminal that is set to Latin-1 or to nothing.
export PYTHONUTF8 := 1
# Bytecode is kept whatever the shell says: without it each of the many processes compiles everything anew, a seventh of its start.
export PYTHONDONTWRITEBYTECODE :=

ARGS ?=
FUZZ_MINUTES ?= 60
PRODUCT := admin delivery drm fetchers storage
export PYTHON

help: ## say what there is
	@sed -n 's/^\([a-z]*\): .*## /\1\t/p' Makefile | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'
	@echo '  Options go in ARGS:  make run ARGS=--once     make test ARGS="-k quota"'

run: ## make .venv, start both apps with sample data and deliver one article; ARGS=--once stops after that
	@sh tools/venv.sh runtime
	@exec .venv/bin/rushlight demo $(ARGS)

test: ## run the whole suite; what needs a service that is not there is skipped and listed
	@sh tools/venv.sh dev
	@exec .venv/bin/python -m pytest -n 2 --dist worksteal $(ARGS)

lint: ## style, types, security and licences
	@sh tools/venv.sh dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(PRODUCT) tests tools
	.venv/bin/bandit --quiet --recursive --severity-level medium $(PRODUCT)
	.venv/bin/python -m tools.licences

bench: ## measure speed beside the peers; ARGS=--smoke is short, ARGS=--write writes docs/performance.md
	@sh tools/venv.sh dev
	@sh benchmarks/peers.sh
	@PYTHONPATH=var/benchmarks/peers exec .venv/bin/python -m benchmarks $(ARGS)

bugs: ## plant some of the seeded bugs, others each day, and see that the tests notice; ARGS=--all plants all
	@sh tools/venv.sh dev
	@exec .venv/bin/python -m tests.mutations $(ARGS)

soak: ## every long test in full, part by part, some eight hours; stop and start it at will; ARGS="--only F1,F7" or ARGS=--table
	@sh tools/venv.sh dev
	@FUZZ_MINUTES=$(FUZZ_MINUTES) exec .venv/bin/python -m tests.soak $(ARGS)

corpus: ## run the tests that read a folder of real files, large ones too; RUSHLIGHT_CORPUS names it
	@sh tools/venv.sh dev
	@RUSHLIGHT_CORPUS_WHOLE=1 exec .venv/bin/python -m pytest -n 2 -m corpus $(ARGS)

outcomes: ## give every real, hostile and poison file to both engines and write docs/pdf-outcomes.md; ARGS=hostile does one set
	@sh tools/venv.sh dev
	@exec .venv/bin/python -m tools.outcomes $(ARGS)

pictures: ## take the pictures of the documentation from the running pages
	@sh tools/venv.sh dev
	@exec .venv/bin/python -m tools.pictures $(ARGS)

docs: ## write the lists in docs/ that come from the sources
	@sh tools/venv.sh dev
	@exec .venv/bin/python -m tools.docs $(ARGS)

locks: ## resolve the dependencies of setup.cfg anew
	@sh tools/locks.sh

clean: ## take away .venv and what tools left; var/ with its data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
