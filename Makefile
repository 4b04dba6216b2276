# Everything a newcomer needs: `make gate MODEL=phase3a2` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
MODEL  ?= phase3a2
export OMP_NUM_THREADS ?= 1
# Compiled modules are kept: without them each start compiles everything again, which costs seconds.
export PYTHONDONTWRITEBYTECODE =

.PHONY: gate test test-slow test-all test-publish hub rates check fixtures fixtures-reading controls zoo zoo-matrix pages gate-outputs bench clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

gate: $(VENV)/.installed  ## judge a model: make gate MODEL=phase3a2
	$(BIN)/python -m pytest suites/ --model $(MODEL)

test: $(VENV)/.installed  ## the project's own tests, at most 10 minutes on two cores
	$(BIN)/python -m pytest tests/ -n 2 -m "not slow"

test-slow: $(VENV)/.installed  ## the tests that take minutes each: every checkpoint, other draws, a broken sibling
	$(BIN)/python -m pytest tests/ -n 2 -m slow --durations=10

test-all: $(VENV)/.installed  ## all tests, with the minutes of each part
	@set -e; for part in test test-slow; do \
	  start=$$(date +%s); $(MAKE) $$part; \
	  echo "make $$part: $$(( ($$(date +%s) - start) / 60 )) min $$(( ($$(date +%s) - start) % 60 )) s"; \
	done

test-publish: $(VENV)/.installed  ## every fault schedule of the publisher: call x fault x before/after x storage mode
	PYTHONPATH=tests $(BIN)/python -m hub.matrix

hub: $(VENV)/.installed  ## a Hub on this machine, to try publishing without an account; Ctrl-C ends it
	@PYTHONPATH=tests $(BIN)/python -m hub

rates: $(VENV)/.installed  ## how often the gates' statistics err, and what stopping early saves: from simulation
	$(BIN)/python -m pytest tests/test_stats*.py tests/test_stopping.py tests/test_compare.py tests/test_choice.py \
	  -m simulation -n 0 -q -s

check: $(VENV)/.installed  ## linter, strict types, import law
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_import_law.py -q

fixtures: $(VENV)/.installed  ## train the fixture models again from their recipes (under an hour on two cores)
	$(BIN)/python -m modelqa.training.build --jobs 2
	$(MAKE) controls

fixtures-reading: $(VENV)/.installed  ## train phase3b again, the last and longest stage (some 50 minutes on one thread)
	$(BIN)/python -m modelqa.training.build --only phase3b --keep

controls: $(VENV)/.installed  ## what each reference answers to the controls by plain generate; again when its weights change
	@for name in reference phase3a2; do \
	  $(BIN)/python fixtures/plain_generate.py fixtures/checkpoints/$$name suites/harness/controls.jsonl || exit 1; \
	done

zoo: $(VENV)/.installed  ## train the defects and the healthy twins of the zoo from their recipes; what is built is kept
	$(BIN)/python -m modelqa.mutants.trained --jobs 2
	$(BIN)/python -m modelqa.mutants.styled --jobs 2

zoo-matrix: zoo  ## every failure of the catalogue: reproduced, caught, owed; no healthy twin accused
	$(BIN)/python -m modelqa.mutants.zoo_matrix --jobs 2 --pages docs

pages: $(VENV)/.installed  ## docs/gates and docs/commands.md again, from the gates and parsers as they are now
	$(BIN)/modelqa gates --write
	$(BIN)/python -m modelqa.help_page docs/commands.md

gate-outputs: $(VENV)/.installed  ## failing outputs that are missing: from zoo-matrix's records, else from defects made anew
	$(BIN)/python -m modelqa.handbook.harvest .modelqa/zoo || $(BIN)/python -m modelqa.handbook.failing

bench: $(VENV)/.installed  ## measurements, as ratios within one run
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .modelqa build dist fixtures/build
