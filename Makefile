# `make help` lists the targets. Variables are given on the command line: make repro JOBS=2

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
LOCKS := requirements.txt requirements-encoders.txt
# Named after the locks' contents: an unfinished or outdated environment has no such file.
READY := $(VENV)/ready-$(shell cat $(LOCKS) | cksum | cut -d ' ' -f 1)
# Two stages of one thread each do more than one stage of two; each needs up to 2 GiB.
JOBS ?= 2
PROFILE ?=
DATA ?=
# The benchmarks' own environment: other toolkits beside everything that VENV has.
BENCH_VENV ?= .venv-bench
BENCH_LOCKS := $(LOCKS) requirements-bench.txt
BENCH_READY := $(BENCH_VENV)/ready-$(shell cat $(BENCH_LOCKS) 2>/dev/null | cksum | cut -d ' ' -f 1)
ONLY ?= all
REPEATS ?= 5
EVALUATION ?=

# DVC runs its stages with the `python` it finds first.
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: help setup repro plots test test-fast test-all checks bench tables reference clean

help:  ## List the targets.
	@echo "usage: make <target> [PROFILE=name] [DATA=folder] [JOBS=n] [ONLY=name] [VENV=folder]"; echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12
	@echo; echo "  PROFILE  parameters to start from (python -m stages.profile list); none: as they are"
	@echo "  DATA     folder with the task files, for a profile whose source is local, or for bench"
	@echo "  JOBS     models trained side by side, 2 unless given; the CPU's threads are divided among them"
	@echo "  ONLY     the benchmark to run (python -m benchmarks --help); none: all of them"
	@echo "  EVALUATION  data/evaluation of a run, whose report is published with the tables"
	@echo "  REPEATS  rounds of a benchmark, 5 unless given"
	@echo "  VENV     virtual environment, .venv unless given; one not made here is never touched"

setup: $(READY)  ## Create VENV with everything pinned; done once, and again when a lock changes.

$(READY): | $(LOCKS)
	@scripts/venv.sh "$(VENV)"
	@rm -f $(VENV)/ready-*
	@echo "installing the pinned requirements into $(VENV) (some minutes, only this once)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-encoders.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Before anything is installed.
ifneq ($(and $(DATA),$(filter repro,$(MAKECMDGOALS))),)
ifeq ($(PROFILE),)
$(error DATA needs PROFILE, for example: make repro PROFILE=glue-cpu DATA=$(DATA))
endif
endif

repro: setup  ## Bring all results up to date and print them. PROFILE, DATA, JOBS.
ifneq ($(PROFILE),)
	@$(BIN)/python -m stages.profile apply "$(PROFILE)" $(if $(DATA),--set "data.folder=$(DATA)")
endif
	@$(BIN)/python -m orchestration.repro --jobs $(JOBS)
	@$(BIN)/python -m stages.results

plots: setup  ## Draw DVC's plots into dvc_plots/index.html, a page that needs no network.
	@$(BIN)/python -m scripts.vega
	@$(BIN)/dvc plots show

test: setup  ## Run the tests but the slow ones; what a change must pass.
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-fast: setup  ## Run the tests that take two minutes together.
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not medium"

test-all: setup  ## Run every test; up to an hour.
	@$(BIN)/python -m pytest -n auto --dist loadfile --hypothesis-profile=all

checks: setup  ## Lint, formatting and types.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: setup $(BENCH_READY)  ## Measure speed and memory against other toolkits. ONLY, REPEATS, DATA.
	@$(BENCH_VENV)/bin/python -m benchmarks "$(ONLY)" --repeats "$(REPEATS)" $(if $(DATA),--data "$(DATA)")

$(BENCH_READY): | $(BENCH_LOCKS)
	@scripts/venv.sh "$(BENCH_VENV)"
	@rm -f $(BENCH_VENV)/ready-*
	@echo "installing the pinned requirements and other toolkits into $(BENCH_VENV) (some minutes, only this once)"
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-encoders.txt -r requirements-bench.txt
	@touch $@

tables: setup  ## Write the published tables of README and docs from recorded figures. EVALUATION.
	@$(BIN)/python -m experiments tables $(if $(EVALUATION),--evaluation "$(EVALUATION)")

reference: setup  ## Write docs/reference, the tree of docs and the table of stages from the code.
	@$(BIN)/python -m scripts.params_reference
	@$(BIN)/python -m scripts.cli_reference
	@$(BIN)/python -m scripts.tree
	@$(BIN)/python -m scripts.stage_table

clean:  ## Remove scratch files (kept downloads too), caches of tools and drawn plots; results stay.
	@rm -rf scratch dvc_plots data/.staging reports/.staging .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -not -path './$(BENCH_VENV)/*' -prune -exec rm -rf {} +
