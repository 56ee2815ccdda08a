.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install lock audit build demo update down check unit integration realtime site test bench clean

BIN := .venv/bin
# In this order: requirements-{image,run,uv}.txt take their versions from requirements.lock.
REQUIREMENTS := requirements.txt $(wildcard requirements-*.txt functions/*/requirements.txt \
  functions/layers/*/requirements.txt tests/packages/requirements.txt)
LOCKS := $(REQUIREMENTS:.txt=.lock)
VENV := .venv/.installed
CHECKOV := .venv-checkov/.installed
# The commands need only a part of what .venv can hold. Where everything is installed, they use that.
RUN := $(or $(wildcard $(VENV)),.venv/.run)
BENCHMARKS := $(filter-out %/measured.py %/plots.py, $(wildcard tests/benchmarks/*.py)) tests/benchmarks/plots.py

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV) $(CHECKOV) ## Install what the commands and tests need (PYTHON=... chooses the interpreter)
	@scripts/realtime install --optional
	@scripts/batch install --optional
	@scripts/terraform --version

lock: $(VENV) ## Write the lock files: exact versions and hashes of everything that the requirements files need
	@for file in $(REQUIREMENTS); do \
	  case $$file in functions/*) only=--no-deps ;; *) only= ;; esac; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $$only \
	    --custom-compile-command "make lock" --output-file "$${file%.txt}.lock" "$$file" || exit 1; done

audit: $(VENV) ## Fail if a locked package has a known vulnerability (needs an index that serves vulnerability data)
	@for file in $(LOCKS); do $(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	  --requirement $$file || exit 1; done

build: $(RUN) ## Build the functions' packages into build/
	@scripts/build

demo: $(RUN) ## Run the platform on this machine and send it events
	@scripts/demo

update: $(RUN) ## Bring changed schemas and functions to the running platform
	@scripts/demo --update

down: $(RUN) ## Stop the platform on this machine and delete its data
	@scripts/demo --stop

check: $(VENV) ## Lint, format and type checks
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@env -u TF_CLI_CONFIG_FILE terraform fmt -check -recursive infrastructure
	@$(BIN)/mypy --no-error-summary
	@git ls-files -z '*.md' | xargs -0 $(BIN)/pymarkdown scan
	@$(BIN)/actionlint -shellcheck= -pyflakes=
	@$(BIN)/zizmor --offline --no-progress --quiet .github
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

unit: $(VENV) ## Tests in memory, some minutes
	@$(BIN)/pytest tests/unit tests/schemas

integration: build ## Tests on an emulator with IAM enforced
	@$(BIN)/pytest tests/integration

realtime: install ## Tests of the Flink job with the published Kinesis connector
	@scripts/build --target aws
	@FLINK_CONNECTOR=published $(BIN)/pytest -n 0 tests/realtime

site: $(VENV) ## Build the documents as a site with search into build/site
	@rm -rf build/site-source && mkdir -p build/site-source
	@git ls-files -z --cached --others --exclude-standard '*.md' clients/*/examples docs docker-compose.yml event-schemas/metrics.json \
	  | tar --null -T - -cf - | tar -xf - -C build/site-source
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --config-file docs/site/mkdocs.yml

test: install check build ## Everything
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist loadgroup

bench: $(VENV) ## Measure what docs/performance.md tells, and draw it
	@for file in $(BENCHMARKS); do \
	  PYTHONPATH=functions:functions/layers/telemetry:scripts:tests/support:clients/python $(BIN)/python $$file || exit 1; done

clean: ## Stop the emulator; remove packages, caches and local state
	@if [ -x $(BIN)/python ]; then scripts/demo --stop; fi
	@rm -rf build .local clients/typescript/dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find clients functions infrastructure scripts tests \( -name __pycache__ -o -name .terraform \) -prune -exec rm -rf {} +

$(VENV): requirements.lock requirements-build.lock
	@scripts/_venv .venv requirements.lock

.venv/.run: requirements-run.lock requirements-build.lock
	@[ -e $(VENV) ] || scripts/_venv .venv requirements-run.lock .run

$(CHECKOV): requirements-checkov.lock requirements-build.lock
	@scripts/_venv .venv-checkov requirements-checkov.lock
