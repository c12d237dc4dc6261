# Two targets matter to a visitor: demo and test. Nothing but Python 3.11 to 3.13 and make has to be there.
SHELL := /bin/bash
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV
export MLFLOW_DISABLE_TELEMETRY := true
export UV_PYTHON_DOWNLOADS := never
# Behind a company's proxy only the system's certificate store knows whom to trust.
export UV_SYSTEM_CERTS ?= true
# Caches inside the template's folder would be baked into every project.
check test lock: export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode
check test: export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && { "$$p" -c 'import sys; print(sys.executable)'; break; }; done)
# Braces and a dollar would be read by make and shell: quoted where it is used.
GENERATED := {{cookiecutter.project_slug}}
BIN := $(CURDIR)/.venv/bin
# make test TESTS='-k hostile': of the template's own tests
TESTS ?=
# make lock LOCK=--upgrade
LOCK ?=

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name does; do printf '  make %-8s %s\n' "$$name" "$$does"; done

.PHONY: demo
demo: python ## bake, install, run to a verdict, serve, ask: the whole story in ./demo
	@"$(PYTHON)" tools/demo.py

.PHONY: check
check: .venv/installed ## format, lint, types, imports and fast tests: of the template, and of its source as it lies
	"$(BIN)/ruff" format --check --no-cache hooks tests tools "$(GENERATED)"
	"$(BIN)/ruff" check --no-cache hooks tests tools "$(GENERATED)"
	"$(BIN)/mypy" --cache-dir .cache/mypy
	cd "$(GENERATED)" && "$(BIN)/mypy" --cache-dir "$(CURDIR)/.cache/mypy-generated"
	cd "$(GENERATED)" && PYTHONPATH=src "$(BIN)/lint-imports" --no-cache --config pyproject.toml
	cd "$(GENERATED)" && PYTHONPATH="$$PWD/src" "$(BIN)/python" -m pytest -q -n 2 -m "not slow" --ignore tests/lab -p no:cacheprovider
	"$(BIN)/python" -m pytest -q -n 2 -m "not slow" $(TESTS)

.PHONY: test
test: .venv/installed ## every test of the template; each scenario baked, installed, and put through its own tests
	"$(BIN)/python" -m pytest -v --durations 5 $(TESTS)

.PHONY: tools
tools: .tools/installed ## install uv and cookiecutter, locked, into .tools

.PHONY: lock
lock: .venv/installed ## write the locks of the template and of the generated repository again; a commit of its own
	"$(BIN)/python" tools/lock.py $(LOCK)

.PHONY: clean
clean: ## remove what these targets made
	rm -rf .venv .tools .cache
	@if [ -e demo/.made-by-make-demo ]; then rm -rf demo; fi

.PHONY: python
python:
	@if [ -z "$(PYTHON)" ]; then echo "error: no Python 3.11, 3.12 or 3.13 on the path" >&2; echo "  fix:   install one, or: make demo PYTHON=/path/to/python3.12" >&2; exit 5; fi

.tools/installed: requirements.lock | python
	@rm -rf .tools && "$(PYTHON)" -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

# The generated repository's own locked tools and libraries, beside cookiecutter: its source is checked where it lies.
.venv/installed: requirements.lock .tools/installed $(wildcard */requirements-dev.lock)
	rm -rf .venv && .tools/bin/uv venv --quiet --python "$(PYTHON)" .venv
	VIRTUAL_ENV=.venv .tools/bin/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock -r "$(GENERATED)/requirements-dev.lock"
	@touch $@
