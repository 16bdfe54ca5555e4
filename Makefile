# `make chat` and `make test` set up what they need; everything else is for people who change the code.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := build/peers

.DEFAULT_GOAL := help
.PHONY: help setup chat telegram telegram-demo test check bench bench-peers format clean soak

help:  ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "newsquote needs Python 3.11 or newer; this is $$($(PYTHON) --version). Say which: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV): a few minutes the first time, about 2 GB." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(READY)  ## install everything into .venv, again when pyproject.toml or constraints.txt changed

chat: $(READY)  ## ask the articles, here in the terminal
	@$(BIN)/newsquote chat

telegram: $(READY)  ## run the Telegram bot (needs NEWSQUOTE_TELEGRAM_TOKEN)
	@$(BIN)/newsquote telegram

telegram-demo: $(READY)  ## write build/telegram-demo.html: a conversation with the bot as a phone shows it
	@$(BIN)/python -m tests.telegram_demo build/telegram-demo.html

test: $(READY)  ## run all tests, in two processes
	@$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(READY)  ## what CI runs: format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist worksteal

bench: $(READY)  ## newsquote beside sentence-transformers: a table of times and memory
	@$(BIN)/python -m tests.bench.bench

bench-peers: $(READY)  ## the same beside haystack and txtai, in a venv of their own
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check haystack-ai sentence-transformers-haystack transformers-haystack txtai
	@$(BIN)/python -m tests.bench.bench --only peers --peers $(PEERS)/bin/python

soak: $(READY)  ## run the tests that take minutes
	@$(BIN)/python -m pytest -m soak -s

format: $(READY)  ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what set-up made
	rm -rf $(VENV)
