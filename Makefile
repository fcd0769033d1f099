# Everything a person does with a checkout, on a machine that has make and Python 3.11 or newer and nothing else.
#
#     make lab     make the environment and open the lab
#     make test    make the environment and run every test
#
# ARGS goes to the command behind a target: make test ARGS="-k clock -x", make lab ARGS="lab rumor --nodes 60".
# Kept to what GNU make 3.81 understands, because that is the one macOS ships.

VENV ?= .venv
BIN := $(VENV)/bin

# The Python that makes the environment. One that is named is taken at its word; without a name, python3 or, where that
# is too old, the newest other one. A name on PATH is no proof (version managers leave shims that do not run), so each
# is asked.
ifeq ($(origin PYTHON),undefined)
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
else
CANDIDATES := $(PYTHON)
endif
# Debian ships a venv that cannot work until ensurepip is installed too, so both are asked for.
FIT := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
fits = $(shell $(1) -c '$(FIT)' >/dev/null 2>&1 && echo yes)
FITTING = $(firstword $(foreach p,$(CANDIDATES),$(if $(call fits,$(p)),$(p))))
# Runs on any Python, for its hearers are the old ones.
TELL := import sys, pkgutil; print("is Python " + sys.version.split()[0] + ("" if any(m[1] == "ensurepip" for m in pkgutil.iter_modules()) else " without venv") + " at " + sys.executable)
WHAT_IS_THERE = $(shell $(firstword $(CANDIDATES)) -c '$(TELL)' 2>/dev/null || echo "does not run here")
define NO_PYTHON
gossiplab needs Python 3.11 or newer with venv, and `$(firstword $(CANDIDATES))` $(WHAT_IS_THERE): install one (on Debian and Ubuntu with its python3-venv package) or name one that you have, as in `make PYTHON=/path/to/python3.12 $(or $(firstword $(MAKECMDGOALS)),lab)`
endef

# PIP_CONSTRAINT reaches the build of the package too (PIP_BUILD_CONSTRAINT since pip 25.3), a plain -c does not:
# without it the build would take whatever hatchling is newest today.
INSTALL = PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip install -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help lab test check format cover bench soak lock clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

lab: $(VENV)/.lab ## make the environment and open the lab
	@$(BIN)/gossiplab $(ARGS)

# Every core takes tests of its own, and what is left of another's when it is done. Said here and not in pyproject.toml,
# so that a plain `pytest tests/world` stays one process; for one process here too, ARGS="-n0". Each imports the lab
# anew, hence eight at most.
SPREAD := -n auto --maxprocesses 8 --dist worksteal

test: $(VENV)/.dev ## make the environment and run every test
	@$(BIN)/python -m pytest $(SPREAD) $(ARGS)

check: $(VENV)/.dev ## lint, format, types and the arrows between modules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@# The variable keeps pyright from asking the network for a newer pyright.
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## put the code into shape: format, and what lint can mend by itself
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

cover: $(VENV)/.dev ## run every test and say which lines they did not reach
	@$(BIN)/python -m pytest --cov $(SPREAD) $(ARGS)

bench: $(VENV)/.dev ## measure the lab against its yardsticks and print the table
	@$(BIN)/python -m tests.benchmarks $(ARGS)

soak: $(VENV)/.dev ## the tests that take minutes: long runs, many seeds
	@$(BIN)/python -m pytest -m soak $(SPREAD) $(ARGS)

# Resolved with the oldest Python, because what runs on that one runs on the newer ones and not the other way round;
# and it must be the same versions everywhere, because another networkx may lay another graph under the same seed.
LOCK_PYTHON ?= python3.11
lock: ## write constraints.txt anew: the newest versions that pyproject.toml allows
	@$(if $(call fits,$(LOCK_PYTHON)),,$(error the lock is made with the oldest supported Python, and `$(LOCK_PYTHON)` does not run here: install it, or name one that you have, as in `make LOCK_PYTHON=/path/to/python3.11 lock`))
	@set -e; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	$(LOCK_PYTHON) -m venv "$$scratch"; \
	"$$scratch/bin/python" -m pip install -qq --disable-pip-version-check hatchling -e '.[dev]'; \
	{ echo "# Exact versions of everything the lab, its tests and its checks stand on: pip install -c constraints.txt ..."; \
	  echo "# Written by make lock; what is allowed and why is said in pyproject.toml."; \
	  "$$scratch/bin/python" -m pip freeze --exclude-editable; } > "$$scratch/constraints.txt"; \
	cp "$$scratch/constraints.txt" constraints.txt

clean: ## remove the environment and whatever the tools left behind
	rm -rf "$(VENV)" build dist .coverage .coverage.* .hypothesis .import_linter_cache .pytest_cache .ruff_cache htmlcov
	find gossiplab protocols tests -name __pycache__ -prune -exec rm -rf {} +

# Two environments in one folder: the lab alone, which is quick to make, and on top of it what tests and checks need.
# Their stamps are older than pyproject.toml or constraints.txt when those change, and pip then brings them up to date.
$(VENV)/.lab: pyproject.toml constraints.txt
	@$(if $(call fits,$(BIN)/python),,$(if $(FITTING),,$(error $(NO_PYTHON))))
	@echo "Making the environment in $(VENV)" >&2
	@$(if $(call fits,$(BIN)/python),:,$(FITTING) -m venv --clear "$(VENV)")
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.lab
	@echo "Adding to it what tests and checks need" >&2
	@$(INSTALL) -e '.[dev]'
	@touch $@
