# `make reproduce` and `make test` need Python 3.11 or newer and nothing else. PYTHON=... picks another one.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV := .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/installed
PYTORCH := .venv-pytorch
OUT ?= report
ARGS ?=

.PHONY: reproduce docs test test-all slow pytorch check lint types clean
.DELETE_ON_ERROR:

reproduce: docs
	$(RUN)/sptlab reproduce --out $(OUT) $(ARGS)

# The reference of theory, to which the report links.
docs: $(STAMP)
	$(RUN)/python -m paper_figs.report.api $(OUT)/api

# Says at its end which tests it left out; `make test-all` has them, too.
test: $(STAMP)
	$(RUN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-all: $(STAMP)
	$(RUN)/python -m pytest -m 'not slow' -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

slow: $(STAMP)
	$(RUN)/python -m pytest -m slow $(ARGS)

# What needs PyTorch, in an environment of its own: elsewhere its tests are skipped.
pytorch:
	@$(PYTORCH)/bin/python -c 'import pytest, torch, transformers' 2>/dev/null || { $(PYTHON) -m venv $(PYTORCH) && \
		$(PYTORCH)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,pytorch]'; }
	$(PYTORCH)/bin/python -m pytest tests/theory/probes/test_probe_pytorch.py tests/full_scale/export $(ARGS)

lint: $(STAMP)
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

types: $(STAMP)
	$(RUN)/mypy

check: lint types test-all

clean:
	rm -rf $(VENV) $(PYTORCH) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The install runs again only when what it installs has changed.
$(STAMP): pyproject.toml constraints.txt
	@test -n '$(PYTHON)' || { echo 'no Python >= 3.11 found: install one, or name it with make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'sptlab needs Python >= 3.11, $(PYTHON) is older or does not run: name a newer one with make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'the venv module of $(PYTHON) is missing: install it (Debian, Ubuntu: apt install python3-venv), or name another Python with make PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'installing into $(VENV) (once, about a minute)'
	@$(RUN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
