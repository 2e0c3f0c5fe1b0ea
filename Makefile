# Everything the project can do, one word each; `make` alone lists it.
# Recipes are single plain commands where a signal must reach the program: make then runs it without a shell between.

PYTHON = $(shell for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
NO_PYTHON = Python 3.11 or newer is needed: install it (Debian and Ubuntu: apt-get install python3-venv) and run make again
RUN = .venv/bin/python -m
WITH_DATABASE = $(RUN) config.embedded_postgres with

.DEFAULT_GOAL := help
.PHONY: help run test lint test-faults test-search test-examples bench bench-resolve bench-canary bench-monitoring bench-peers backup restore lock packages dev-packages assets

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: packages ## Install what is missing, start everything, print the address (PORT=8000)
	@$(RUN) config.run

test: dev-packages assets ## Every check and every test, with all they need installed first
	@$(WITH_DATABASE) $(RUN) config.checks test

lint: dev-packages ## Format, lint, layers, types, templates
	@$(RUN) config.checks lint

test-faults: dev-packages assets ## Only the tests that break things on purpose (a killed server, a full pool)
	@$(WITH_DATABASE) $(RUN) pytest tests/faults

test-search: dev-packages ## The laws of the core on new random inputs, thousands each
	@$(RUN) pytest -q -n 2 --hypothesis-profile=search tests/core

test-examples: dev-packages ## The client's examples, against LiveKit Agents and Pipecat themselves (downloads 500 MB)
	@$(RUN) config.checks examples

bench: dev-packages assets ## Measure, beside a calibration of the machine
	@$(WITH_DATABASE) $(RUN) bench

bench-resolve: dev-packages assets ## Buckets (R1-R5), and how fast calls are resolved beside a bare Django view
	@$(RUN) bench.buckets
	@$(WITH_DATABASE) $(RUN) bench.resolve

bench-monitoring: dev-packages ## Ten million calls: pages, analytics, ingestion, beside other engines (20 minutes, 12 GB)
	@$(WITH_DATABASE) $(RUN) bench.ingestion
	@$(WITH_DATABASE) $(RUN) bench.monitoring

bench-canary: dev-packages ## Simulate canary rollouts: how often their judge errs, and how soon it finds harm
	@$(RUN) bench.canary

bench-peers: dev-packages ## The same question to Unleash, MLflow and Phoenix (downloads 1 GB)
	@$(WITH_DATABASE) $(RUN) bench.peers

backup: packages ## Write the database to backups/
	@$(RUN) config.backup backup

restore: packages ## Put a backup back: make restore FILE=backups/….dump
	@$(RUN) config.backup restore "$(FILE)"

lock: packages ## Compile the lock files anew from pyproject.toml and package.json
	@$(RUN) config.lock

packages:
	@$(if $(PYTHON),,$(error $(NO_PYTHON)))
	@$(PYTHON) -m config.bootstrap

dev-packages:
	@$(if $(PYTHON),,$(error $(NO_PYTHON)))
	@$(PYTHON) -m config.bootstrap --dev

assets:
	@$(RUN) config.assets
