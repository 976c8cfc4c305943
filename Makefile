# Everything runs from .venv, installed from the hash-locked requirements.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --quiet

PRISM_VERSION := 5.14.2
TWILIO_CLI_VERSION := 8.3.2
TWILIO_API := twilio_api_v2010.json
AXE_VERSION := 4.14.1
TWILIO_API_SHA256 := 7f123267c8dd60bd5412ed723cc021f0e58d52b635e8fad41f72c4a3dda9e77e

.DEFAULT_GOAL := help
.PHONY: help install demo up bench check check-twilio check-browser format lint types layers migrations test races kills smoke history journey-pages migration lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run

demo: install ## Watch 200 invented customers walk their journeys (DEMO_SECONDS=60 stops by itself)
	@$(BIN)/tropa demo

up: install ## Start Tropa on this machine: PostgreSQL, Temporal, worker, API
	@$(BIN)/tropa up

smoke: install ## One journey from HTTP event to delivered mail, on free ports, in a temporary folder
	@$(BIN)/python -m tests.smoke

bench: install ## How fast it is, against bare floors in the same run (three minutes on an idle machine)
	@$(BIN)/python -m bench

##@ Work

install: .venv/installed ## Install what is locked into .venv

.venv/installed: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Tropa needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing into .venv (a minute or two the first time) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

check: format lint types layers migrations test ## All that CI checks

format: install ## Is the code formatted?
	@$(BIN)/ruff format --check --quiet --no-cache . || { echo "Run: .venv/bin/ruff format ."; exit 1; }

lint: install ## Lint
	@$(BIN)/ruff check --quiet --no-cache .

types: install ## Type check
	@$(BIN)/mypy

layers: install ## Do imports run one way?
	@$(BIN)/lint-imports --no-cache

migrations: install ## Do the migrations build what the tables declare, up and down?
	@$(BIN)/python -m tests.migrations

test: install ## Run the tests (T=path or -k expression narrows)
	@$(BIN)/python -m tests $(T)

kills: install ## Kill a worker at each of 12 points of a send, 20 times each: nothing twice, nothing lost (KILLS=2 is quicker)
	@$(BIN)/python -m tests.kills

races: install ## 1,000 opt-outs with and without projector, and 1,000 merges, race sends; the tests run 500, 500 and 100
	@TROPA_RACES=1000 TROPA_MERGES=1000 $(BIN)/python -m tests --timeout 900 \
		tests/services/test_races.py tests/services/test_merging_races.py -k "f46 or load"

check-twilio: install .prism/$(PRISM_VERSION)-$(TWILIO_CLI_VERSION) ## Twilio's own API description referees our client and simulator (needs node, npm)
	@$(BIN)/python -m tests.referee

.prism/$(PRISM_VERSION)-$(TWILIO_CLI_VERSION):
	@command -v node >/dev/null && command -v npm >/dev/null \
		|| { echo "make check-twilio needs node (20 or newer) and npm, and did not find them. Install Node.js, then run it again."; exit 1; }
	@echo "Installing Prism and Twilio's API description into .prism (half a minute the first time) ..."
	@mkdir -p .prism && echo '{"private": true}' > .prism/package.json
	@cd .prism && npm install --silent --no-audit --no-fund --save-exact @stoplight/prism-cli@$(PRISM_VERSION)
	@cd .prism && npm pack --silent @twilio/cli-core@$(TWILIO_CLI_VERSION) >/dev/null \
		&& tar xzf twilio-cli-core-$(TWILIO_CLI_VERSION).tgz --strip-components=4 package/src/services/twilio-api/$(TWILIO_API) \
		&& echo "$(TWILIO_API_SHA256)  $(TWILIO_API)" | sha256sum --check --quiet
	@touch $@

check-browser: install .axe/$(AXE_VERSION) ## axe judges every page in Chromium, both languages, desk and phone, day and night (needs npm, chromium)
	@$(BIN)/python -m tests.browser $(PICTURES)

.axe/$(AXE_VERSION):
	@command -v npm >/dev/null \
		|| { echo "make check-browser needs npm, and did not find it. Install Node.js, then run it again."; exit 1; }
	@echo "Installing axe into .axe ..."
	@mkdir -p .axe && echo '{"private": true}' > .axe/package.json
	@cd .axe && npm install --silent --no-audit --no-fund --save-exact axe-core@$(AXE_VERSION)
	@touch $@

history: install ## Record a journey's histories for replay: make history JOURNEY=WelcomeChain
	@$(BIN)/python -m tests.record $(JOURNEY)

journey-pages: install ## Write docs/journeys/ anew, from rehearsals (JOURNEY=WinBack writes one; three minutes for all)
	@$(BIN)/python -m tests.journey_pages $(JOURNEY)

migration: install ## Draft the next migration from the tables: make migration NAME=add_snooze
	@$(BIN)/python -m tests.migrations draft $(NAME)

lock: ## Compile the locks anew (needs uv)
	uv pip compile pyproject.toml --group build $(LOCK_FLAGS) -o requirements.lock
	uv pip compile pyproject.toml --group dev $(LOCK_FLAGS) -o requirements-dev.lock

clean: ## Remove what was installed and generated, and this folder's data
	rm -rf .venv .tropa .prism .axe .bench .mypy_cache .ruff_cache .pytest_cache
