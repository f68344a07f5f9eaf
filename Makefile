# The two commands are `make serve` and `make test`; both set up .venv themselves, from a bare clone.
.PHONY: serve test check audit test-container soak evaluate bench fonts train finetune lock clean

PORT ?= 8000
# Where the evaluation images lie; what needs them is skipped where the folder is absent.
DATA ?= ../shared/data
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
PIP_QUIETLY = -m pip install --quiet --disable-pip-version-check
PIP_INSTALL = .venv/bin/python $(PIP_QUIETLY) --require-hashes
THIS_PROJECT = --no-deps --no-build-isolation --editable .
REQUIREMENTS = docker/requirements

serve: .venv/serve.stamp
	DIGIT_OCR_PORT=$(PORT) .venv/bin/digit-ocr serve

test: check
	DIGIT_OCR_DATA_DIR=$(DATA) .venv/bin/python -m pytest -m "not container" -n auto --dist loadfile

check: .venv/test.stamp
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# Asks for known vulnerabilities of the pinned versions, where what is known of them can be reached.
audit: .venv/supply.stamp
	sh docker/audit.sh .venv/supply/bin/pip-audit $(REQUIREMENTS)/serve.txt $(REQUIREMENTS)/lite.txt $(REQUIREMENTS)/training.txt

# Needs a Docker engine with compose v2; builds the image and posts images to it.
test-container: .venv/test.stamp
	.venv/bin/python -m pytest -m container

# Overload, SIGTERM under load and growth of memory, of the service as the environment sets it; half an hour.
soak: .venv/test.stamp
	.venv/bin/python -m tests.soak $(SOAK)

# Measures the committed model on the real images of $(DATA), beside RapidOCR and, where it is installed, Tesseract.
evaluate: .venv/evaluation.stamp
	.venv/bin/python -m tests.evaluation --data-dir $(DATA)

# Measures how fast the service is, beside LitServe and BentoML; a quarter of an hour on a machine that does nothing else.
# Needs wrk and two CPUs. BENCH: options, such as "--only startup".
bench: .venv/bench.stamp
	@command -v wrk >/dev/null || { echo "make bench needs wrk; on Debian: apt-get install wrk" >&2; exit 1; }
	.venv/bin/python -m tests.benchmarks $(BENCH)

# Installs the fonts that digits are drawn from; needs Debian, npm and root.
fonts:
	xargs apt-get install --yes --no-install-recommends < training/fonts.txt
	sh training/handwriting/install.sh /usr/share/fonts/fontsource

# CONFIG says what; a run that was stopped goes on.
CONFIG ?= training/configs/digits_1_0_0.py
train: .venv/training.stamp
	.venv/bin/python -m training train --config $(CONFIG) --data-dir $(DATA)

# Teaches the released version your own images: make finetune IMAGES=folder, with a folder a class in it.
finetune: .venv/training.stamp
	.venv/bin/python -m training finetune $(IMAGES) --data-dir $(DATA)

# Pins every requirement anew, with hashes, for all platforms and for Python 3.11 to 3.13.
lock: .venv/python.stamp
	.venv/bin/python $(PIP_QUIETLY) uv
	.venv/bin/uv pip compile pyproject.toml --extra training --group test $(LOCK_OPTIONS) --upgrade -o $(REQUIREMENTS)/test.txt
	.venv/bin/uv pip compile --group evaluation -c $(REQUIREMENTS)/test.txt $(LOCK_OPTIONS) -o $(REQUIREMENTS)/evaluation.txt
	.venv/bin/uv pip compile --group bench $(LOCK_OPTIONS) --upgrade -o $(REQUIREMENTS)/bench.txt
	.venv/bin/uv pip compile pyproject.toml --extra training -c $(REQUIREMENTS)/test.txt $(LOCK_OPTIONS) -o $(REQUIREMENTS)/training.txt
	.venv/bin/uv pip compile pyproject.toml --extra keras -c $(REQUIREMENTS)/test.txt $(LOCK_OPTIONS) -o $(REQUIREMENTS)/serve.txt
	.venv/bin/uv pip compile pyproject.toml -c $(REQUIREMENTS)/test.txt $(LOCK_OPTIONS) -o $(REQUIREMENTS)/lite.txt
	.venv/bin/uv pip compile --group supply $(LOCK_OPTIONS) --upgrade -o $(REQUIREMENTS)/supply.txt
	.venv/bin/uv pip compile --group build -c $(REQUIREMENTS)/test.txt $(LOCK_OPTIONS) -o $(REQUIREMENTS)/build.txt

LOCK_OPTIONS = --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-config --no-emit-index-url --no-emit-find-links

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/python.stamp:
	@test -n "$(PYTHON)" || { echo "digit-ocr needs Python 3.11, 3.12 or 3.13 on the PATH (or PYTHON=/path/to/python)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/serve.stamp: .venv/python.stamp $(REQUIREMENTS)/serve.txt $(REQUIREMENTS)/build.txt pyproject.toml
	$(PIP_INSTALL) -r $(REQUIREMENTS)/build.txt -r $(REQUIREMENTS)/serve.txt
	.venv/bin/python $(PIP_QUIETLY) $(THIS_PROJECT)
	@touch $@

.venv/training.stamp: .venv/serve.stamp $(REQUIREMENTS)/training.txt
	$(PIP_INSTALL) -r $(REQUIREMENTS)/training.txt
	@touch $@

.venv/test.stamp: .venv/training.stamp $(REQUIREMENTS)/test.txt
	$(PIP_INSTALL) -r $(REQUIREMENTS)/test.txt
	@touch $@

.venv/evaluation.stamp: .venv/test.stamp $(REQUIREMENTS)/evaluation.txt
	$(PIP_INSTALL) -r $(REQUIREMENTS)/evaluation.txt
	@touch $@

.venv/supply.stamp: .venv/python.stamp $(REQUIREMENTS)/supply.txt
	$(PYTHON) -m venv .venv/supply
	.venv/supply/bin/python $(PIP_QUIETLY) --require-hashes -r $(REQUIREMENTS)/supply.txt
	@touch $@

# What the peers depend on fits nothing else: an environment of their own, inside the other. The service that is measured
# has one, too, with what it is served with and no more.
.venv/bench.stamp: .venv/test.stamp $(REQUIREMENTS)/bench.txt
	.venv/bin/python -m venv .venv/served
	.venv/served/bin/python $(PIP_QUIETLY) --require-hashes -r $(REQUIREMENTS)/build.txt -r $(REQUIREMENTS)/serve.txt
	.venv/served/bin/python $(PIP_QUIETLY) $(THIS_PROJECT)
	.venv/bin/python -m venv .venv/bench
	.venv/bench/bin/python $(PIP_QUIETLY) --require-hashes -r $(REQUIREMENTS)/bench.txt
	@touch $@
