# One environment, one extension; stamp files make a second run quick.
#
#   make demo         a sample book from paste to report, in demo-output/
#   make test         Rust and Python tests; the last lines name what did not run and why
#   make check        format, lints, types, stubs
#   make bench        benchmarks; each asserts its answer before it times it
#   make vectors      published margin examples against the engine
#   make libreoffice  LibreOffice >= 25.2 for the host tests (Debian; root or sudo)
#   make workbook     builds the template workbook and the LibreOffice add-in
#   make docs         builds the manual in build/docs; a warning is an error

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := test

PYTHON ?= python3
ENVIRONMENT := .venv
BIN := $(ENVIRONMENT)/bin
PACKAGES := $(ENVIRONMENT)/.packages
EXTENSION := $(ENVIRONMENT)/.extension
CARGO_LOG := target/cargo-test.log

RUST := Cargo.toml Cargo.lock $(shell find rust_core -type f \( -name '*.rs' -o -name '*.toml' \))

.PHONY: demo test check bench vectors libreoffice workbook docs clean extension

extension: $(EXTENSION)

$(PACKAGES): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(ENVIRONMENT)
	$(BIN)/python -c 'import tomllib; \
	  project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	  extras = project["optional-dependencies"]; \
	  print(*project["dependencies"], *extras["excel"], *extras["docs"], *extras["dev"], \
	  sep="\n")' \
	  > $(ENVIRONMENT)/requirements.txt
	$(BIN)/python -m pip install --quiet --requirement $(ENVIRONMENT)/requirements.txt
	touch $@

$(EXTENSION): $(PACKAGES) $(RUST)
	VIRTUAL_ENV=$(abspath $(ENVIRONMENT)) PATH="$(abspath $(BIN)):$$PATH" maturin develop --release
	touch $@

demo: $(EXTENSION)
	$(BIN)/crossmargin demo --output demo-output

test: $(EXTENSION)
	mkdir -p $(dir $(CARGO_LOG))
	cargo test --package crossmargin-engine 2>&1 | tee $(CARGO_LOG)
	CROSSMARGIN_CARGO_LOG=$(CARGO_LOG) $(BIN)/python -m pytest

check: $(EXTENSION)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/stubtest crossmargin._core

bench: $(EXTENSION)
	cargo bench --package crossmargin-engine
	$(BIN)/python -m tests.bench

vectors: $(EXTENSION)
	$(BIN)/python -m tests.vectors

libreoffice:
	tests/host/install_libreoffice.sh

workbook: $(EXTENSION)
	$(BIN)/python workbook/build.py
	mkdir -p build
	$(BIN)/python -m crossmargin.hosts.libreoffice build/crossmargin.oxt

docs: $(EXTENSION)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html \
	  --doctree-dir build/doctrees python/docs build/docs

clean:
	rm -rf target build dist demo-output $(ENVIRONMENT)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf python/docs/functions python/docs/rulebooks python/docs/studies python/docs/glossary.md \
	  python/docs/python-reference.md python/docs/command-line.md
	find python -name '_core*.so' -delete
	find python tests workbook -name __pycache__ -type d -prune -exec rm -rf {} +
