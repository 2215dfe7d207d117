# make demo     build the environment and analyse the tables that ship with the repository
# make test     lint and tests
# make env      only build .venv for a run          make lint   only the linters
# make lock     renew the locks in envs/            make docs   renew docs/tables.md
# make bench    time and memory: BIG-bench, hierarchy, engine, explorer (benchmarks/); QUICK=1: a look
# make clean    delete results, logs and .venv; downloaded data stay

CORES ?= $(shell getconf _NPROCESSORS_ONLN)
# Ahead on PATH, so that Snakemake's scripts and the linters use this environment and no other.
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH" PYTHONPATH=
SMK := Snakefile workflow
export PYTHON

.PHONY: demo test lint lock docs bench clean env env-dev

demo: env
	$(RUN) snakemake --cores $(CORES) --configfile config/demo.yaml
	@echo "Report: $(CURDIR)/reports/index.html"

test: lint
	$(RUN) pytest -n $(CORES) --dist loadgroup

lint: env-dev
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check $(SMK)
	$(RUN) snakemake --lint
	$(RUN) PYTHONPATH=src lint-imports --no-cache --no-logo
	$(RUN) mypy

env:
	@envs/build.sh

env-dev:
	@envs/build.sh dev

COMPILE = uv pip compile pyproject.toml --quiet --universal --python-version 3.12 --generate-hashes \
	--custom-compile-command "make lock"
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH (pip install uv)"; exit 1; }
	$(COMPILE) -o envs/requirements.lock
	$(COMPILE) --extra dev -c envs/requirements.lock -o envs/requirements-dev.lock
	$(COMPILE) --extra experiments -c envs/requirements.lock -o envs/requirements-experiments.lock

docs: env
	PYTHONPATH=src .venv/bin/python -m metamirage.project.table_docs > docs/tables.md

# The explorer is measured in a browser, which the tests' tools drive.
bench: env-dev
	PYTHONPATH=src:tests .venv/bin/python benchmarks/bench_bigbench.py $(if $(QUICK),--tasks 20)
	PYTHONPATH=src:tests .venv/bin/python benchmarks/bench_hierarchy.py $(if $(QUICK),--quick)
	PYTHONPATH=src:tests .venv/bin/python benchmarks/bench_engine.py $(if $(QUICK),--quick,$(if $(LARGE),--large))
	PYTHONPATH=src:tests .venv/bin/python benchmarks/bench_explorer.py $(if $(QUICK),--curves 2000)

clean:
	rm -rf .venv .snakemake data/processed reports logs .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
