# `make` alone lists the targets. Each of them first makes the virtual environment .venv where it is missing or out of date.
# Windows without make: README.md gives the plain commands.

PYTHON ?= python3
PROBLEM ?= mnist
NAMES ?=
SEEDS ?=
LESSON ?=
LAB_OPTIONS ?=
PYTEST_OPTIONS ?=
LOCK_OPTIONS ?=
SUBMISSIONS ?=
ASSIGNMENT ?=
COUNT ?= 200

BIN := .venv/bin
PYTEST := env -u RECIPE_DATASETS RECIPE_SOURCE=sample $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
READY := .venv/.ready
READY_TO_TEACH := .venv/.ready-to-teach
NOTEBOOKS := $(if $(wildcard notebooks/*.ipynb),--nbval-lax --nbval-sanitize-with tests/nbval_sanitize.cfg notebooks)

# Keras looks for its backend as soon as it is imported, which may be before the kit is: what starts here knows it.
export KERAS_BACKEND ?= jax
# Some machines switch byte-code off, and Keras then takes 7 seconds to import in place of 2: every start compiles again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
COURSE := $(BIN)/python -m recipe.teach.course

.PHONY: help lab lab-teacher release grade feedback class-report worlds assignments demo test test-slow test-browser checks advice claims lesson-figures bench lint format fetch lock clean

help:
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

# The stamp is written last. An install that was interrupted leaves none, and the next one begins anew.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) tools/check_python.py
	@test -e $@ || rm -rf .venv
	@rm -f $@
	@echo "Making .venv: 170 packages, 1.4 GB on the disk, a minute or two."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[lab,test]'
	@echo "Compiling to byte-code on all cores, where pip would take one."
	-@$(BIN)/python -m compileall -qq -j 0 -x '/tests/' .venv/lib
	@touch $@

# What only instructors need, three small packages, is laid into the same environment when it is first asked for.
$(READY_TO_TEACH): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[lab,test,teach]'
	@touch $@

# Students' JupyterLab: the settings in tools/students switch nbgrader off, should an instructor have installed it here.
lab: $(READY)  ## open JupyterLab on notebooks/, on this machine only
	@mkdir -p notebooks
	JUPYTER_CONFIG_PATH=$(CURDIR)/tools/students $(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 $(LAB_OPTIONS) notebooks

lab-teacher: $(READY_TO_TEACH)  ## for instructors: open JupyterLab with nbgrader's menu on assignments/
	@mkdir -p assignments
	cd assignments && ../$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 $(LAB_OPTIONS) .

release: $(READY_TO_TEACH)  ## for instructors: make the students' versions of assignments/source (ASSIGNMENT=02 for one)
	$(COURSE) release $(if $(ASSIGNMENT),--assignment $(ASSIGNMENT))

grade: $(READY_TO_TEACH)  ## for instructors: collect and grade what was handed in, write grades.csv (SUBMISSIONS=folder)
	$(COURSE) grade '$(or $(SUBMISSIONS),assignments/submitted)' $(if $(ASSIGNMENT),--assignment $(ASSIGNMENT))

feedback: $(READY_TO_TEACH)  ## for instructors: write one HTML file a student
	$(COURSE) feedback $(if $(ASSIGNMENT),--assignment $(ASSIGNMENT))

class-report: $(READY_TO_TEACH)  ## for instructors: what became of the class, on one page: assignments/class_report.html
	$(BIN)/recipe class-report assignments --output assignments/class_report.html $(if $(ASSIGNMENT),--assignment $(ASSIGNMENT))

worlds: $(READY)  ## play all answers in 200 students' worlds: solvable, and equally hard? (COUNT=20 ASSIGNMENT=02)
	$(BIN)/python tools/play_worlds.py --count $(COUNT) $(if $(ASSIGNMENT),--assignment $(ASSIGNMENT))

# An assignment's submissions go through one process: it releases the assignment once.
assignments: $(READY_TO_TEACH)  ## play every answer to the assignments, right and wrong, through nbgrader
	$(subst --dist loadfile,--dist loadgroup,$(PYTEST)) -m assignments $(PYTEST_OPTIONS) tests/teach

demo: $(READY)  ## walk the seven steps on one problem (PROBLEM=mnist, imdb or housing)
	$(BIN)/recipe run $(PROBLEM)

# The lessons come first: what takes long at the end would keep one of the two processes waiting.
test: $(READY)  ## run the tests on the embedded samples: no network, no downloaded data
	$(PYTEST) $(PYTEST_OPTIONS) $(NOTEBOOKS) tests recipe

test-slow: $(READY)  ## run the tests that repeat: more trainings beside plain Keras, statistics over hundreds of draws
	$(PYTEST) -m slow $(PYTEST_OPTIONS) tests

test-browser: $(READY)  ## drive every panel in a real browser, which must be there: Chromium or Google Chrome
	$(PYTEST) -m browser $(PYTEST_OPTIONS) tests/browser

checks: $(READY)  ## measure the false alarms of the checks of a pipeline, and the causes they name; write docs/checks.md
	$(BIN)/python tools/measure_checks.py

advice: $(READY)  ## measure how often the first piece of advice improves the score; write docs/advice.md
	$(BIN)/python tools/measure_advice.py

claims: $(READY)  ## run the lessons' claims anew (SEEDS="101 102", LESSON=06), write docs/claims.md
	$(BIN)/python tools/measure_claims.py $(if $(SEEDS),--seeds $(SEEDS)) $(if $(LESSON),--lesson $(LESSON))

lesson-figures: $(READY)  ## count the cells, words, plain code and minutes of each lesson
	@$(BIN)/python tools/lesson_figures.py

bench: $(READY)  ## measure beside plain Keras and write benchmarks/RESULTS.md
	$(BIN)/python benchmarks/run.py

lint: $(READY)  ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)  ## mend style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fetch: $(READY)  ## download and verify the datasets (NAMES="mnist imdb", all of them without)
	$(BIN)/recipe fetch $(NAMES)

lock: $(READY)  ## pin again after a change in pyproject.toml (LOCK_OPTIONS=--upgrade for newer versions)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile pyproject.toml --universal --fork-strategy fewest --python-version 3.11 \
		--all-extras --no-annotate --custom-compile-command 'make lock' --quiet $(LOCK_OPTIONS) --output-file constraints.txt

clean:  ## remove .venv and what tools left behind; downloaded data stays
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
