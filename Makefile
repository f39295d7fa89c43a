# The first target prints this file's targets: a line "name: ## text" below is its documentation.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

# A Python 3.11 or newer to make the environments with.
PYTHON3 ?= python3
# On all cores; PARALLEL= runs the tests in one process, as a debugger needs it.
PARALLEL ?= --numprocesses=auto --dist=worksteal
# For example: make unit PYTEST_ARGS="tests/core -x"
PYTEST_ARGS ?=

VENV := .venv
VENV42 := .venv-django42
PYTHON := $(VENV)/bin/python
PYTHON42 := $(VENV42)/bin/python
# Many images forbid Python to keep what it compiles, and the tests start Python more than a hundred times.
unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE ?= 1
# uv trusts the certificates of the machine, as pip does here: many networks have one of their own.
export UV_SYSTEM_CERTS ?= true
PORT ?= 8000
# A language to add to the translations: make messages LOCALE=de
LOCALE ?=
# For example: make drills DRILLS_ARGS="deliveries --seed 1"
DRILLS_ARGS ?=
# For example: make browser BROWSER_ARGS="-k keyboard"
BROWSER_ARGS ?=
# For example: make conformance CONFORMANCE_ARGS="-k rotation"
CONFORMANCE_ARGS ?=
# For example: make bench BENCH_ARGS="kafka statements --small"
BENCH_ARGS ?=
# The server of drills: mariadb, mysql or postgres. Measurements are made on MySQL and MariaDB unless it is given.
DATABASE ?= mysql
# Migrations are compared with models, no database is looked at.
NO_DATABASE := DATABASE_URL=sqlite://:memory:
# These have targets of their own: make conformance, make browser.
NOT_HERE := --ignore=tests/conformance --ignore=tests/browser
APPS := badges_plugin badges_distribution credly_badges accredible_badges open_badges badges_web

.PHONY: help
help: ## show this help
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##### Environments. Each has a stamp, so that they cost nothing when nothing changed.

.PHONY: venv
venv: $(VENV)/.installed ## set up .venv: pinned requirements and this repository, editable

$(VENV)/.installed: requirements/dev-django52.txt setup.cfg
$(VENV42)/.installed: requirements/dev-django42.txt setup.cfg
%/.installed:
	@$(PYTHON3) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON3=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	test -x $*/bin/python || $(PYTHON3) -m venv $*
	test -x $*/bin/uv || { sed -n '/^uv==/,/[^\\]$$/p' $< > $*/uv.txt && \
	  $*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $*/uv.txt; }
	VIRTUAL_ENV=$* $*/bin/uv pip install --quiet --require-hashes --requirement $<
	VIRTUAL_ENV=$* $*/bin/uv pip install --quiet --no-deps --editable .
	touch $@

%/.mysql: requirements/mysql.txt %/.installed
	VIRTUAL_ENV=$* $*/bin/uv pip install --quiet --require-hashes --requirement $< \
	  || { echo "The MySQL driver is built from source: apt-get install gcc pkg-config libmariadb-dev" >&2; exit 1; }
	touch $@

%/.browser: requirements/browser.txt %/.installed
	VIRTUAL_ENV=$* $*/bin/uv pip install --quiet --require-hashes --requirement $<
	touch $@

# Apart from what they judge: the validator of the demo, and the audit.
.venv-validator/.openbadgeslib: requirements/validator.txt $(VENV)/.installed
.venv-audit/.pip-audit: requirements/audit.txt $(VENV)/.installed
.venv-validator/.openbadgeslib .venv-audit/.pip-audit:
	test -x $(@D)/bin/python || $(PYTHON3) -m venv --without-pip $(@D)
	VIRTUAL_ENV=$(@D) $(VENV)/bin/uv pip install --quiet --require-hashes --requirement $<
	touch $@

.PHONY: upgrade
upgrade: $(VENV)/.installed ## compile requirements/*.in to the newest versions they allow
	cd requirements && for name in dev-django52 dev-django42 mysql browser validator audit; do \
	  UV_CUSTOM_COMPILE_COMMAND="make upgrade" ../$(VENV)/bin/uv pip compile --quiet --upgrade --generate-hashes \
	    --python-version 3.11 $$name.in --output-file $$name.txt; done

# Not the pins of Redwood: they are that release's, and what is known of them is fixed by upgrading Open edX.
AUDITED := dev-django52 mysql browser validator
.PHONY: audit
audit: .venv-audit/.pip-audit ## ask a public database for known vulnerabilities of the pinned requirements (pip-audit)
	@mkdir -p var; status=0; for name in $(AUDITED); do \
	  echo "requirements/$$name.txt:"; \
	  .venv-audit/bin/pip-audit --requirement requirements/$$name.txt --require-hashes --disable-pip --strict \
	    --progress-spinner off 2> var/audit.log || status=1; \
	  grep 'known vulnerabilit' var/audit.log || { tail -n 1 var/audit.log >&2; \
	    echo "No database can be reached from here: nothing was audited." >&2; exit 2; }; \
	done; exit $$status

##### Two commands that matter

.PHONY: demo
demo: $(VENV)/.installed .venv-validator/.openbadgeslib ## watch learners earn, lose, regain and renew badges, end to end
	$(PYTHON) -m sandbox.demo

# Two at a time, in this order: mypy without a cache uses one core for as long as a tenth of the tests take. The quick
# checks are over before the tests start, which they do only if nothing has failed.
.PHONY: test
test: $(VENV)/.installed ## every check, and the tests on SQLite
	@$(MAKE) --no-print-directory --jobs=2 types lint contracts migrations pii unit

##### The parts of test

.PHONY: lint
lint: $(VENV)/.installed ## style and likely mistakes (ruff), spelling and retired words (codespell)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/codespell
	@# Words and names that were replaced: everywhere, except where history is told.
	git ls-files -z -- ':!.codespell' ':!docs/decisions' ':!CHANGELOG.rst' ':!*/migrations/*' ':!*/locale/*/*' \
	  | xargs -0 $(VENV)/bin/codespell --dictionary .codespell/words.txt
	@# Tutor's Python is older than that of the service.
	$(VENV)/bin/vermin --quiet --no-tips --violations --target=3.9- tutor_badges distributions
	@# The files that only GitHub and Read the Docs would read, too late.
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.readthedocs .readthedocs.yaml

.PHONY: format
format: $(VENV)/.installed ## format the code and fix what ruff can fix
	$(VENV)/bin/ruff check --fix-only
	$(VENV)/bin/ruff format

.PHONY: types
types: $(VENV)/.installed ## types (mypy --strict)
	$(NO_DATABASE) $(VENV)/bin/mypy

.PHONY: contracts
contracts: $(VENV)/.installed ## imports point down only (import-linter)
	$(VENV)/bin/lint-imports --no-logo

.PHONY: migrations
migrations: $(VENV)/.installed ## models and migrations agree
	$(NO_DATABASE) $(PYTHON) -W error sandbox/manage.py makemigrations --check --dry-run $(APPS)

.PHONY: pii
pii: $(VENV)/.installed ## every model says what personal data it holds (code-annotations)
	@$(NO_DATABASE) DJANGO_SETTINGS_MODULE=sandbox.settings PYTHONPATH=sandbox \
	  $(VENV)/bin/code_annotations django_find_annotations --config_file .pii_annotations.yml --lint --coverage

.PHONY: unit
unit: $(VENV)/.installed ## the tests but the long ones; PYTEST_ARGS chooses
	$(PYTHON) -m pytest -m "not long" $(PARALLEL) $(PYTEST_ARGS)

.PHONY: test-long
test-long: $(VENV)/.installed ## the tests that test leaves out: long ones, and those of older Tutor releases
	$(PYTHON) -m pytest -m long $(NOT_HERE) $(PARALLEL) $(PYTEST_ARGS)

.PHONY: conformance
conformance: $(VENV)/.installed ## third-party verifiers judge a thousand of our Open Badges (Node.js, npm)
	$(PYTHON) -m pytest tests/conformance tests/open_badges/test_vectors.py $(CONFORMANCE_ARGS)

# One process: all tests share one browser.
.PHONY: browser
browser: $(VENV)/.browser ## the pages in Chromium: journeys, keyboard, print, accessibility; screenshots in var/screenshots
	$(PYTHON) -m pytest tests/browser $(BROWSER_ARGS)

.PHONY: docs-pictures
docs-pictures: $(VENV)/.browser ## take the pictures of the documentation again, into docs/pictures (Chromium)
	BADGES_DOCS_PICTURES=1 $(PYTHON) -m pytest tests/browser -m pictures $(BROWSER_ARGS)

##### The same tests elsewhere. Those of the Tutor plugin know neither Django nor a database; on a database server only
##### those are run that can reach its database (see tests/selection.py).

DJANGO_TESTS := --ignore=tests/tutor $(NOT_HERE)
# Most long tests are drills, and `make drills` runs more of them on these servers. Migrations are not.
NO_DRILLS := -m "not long or django_db"

.PHONY: test-django42
test-django42: $(VENV42)/.installed ## the tests on Django 4.2, with the libraries of the Redwood release
	$(PYTHON42) -m pytest $(DJANGO_TESTS) $(PARALLEL) $(PYTEST_ARGS)

# Not in `make test`: on Python 3.11 it takes twice the processor time. The least share stands in pyproject.toml.
.PHONY: coverage
coverage: $(VENV42)/.installed ## test-django42, and which lines and branches it reaches; pages in var/coverage/html
	@mkdir -p var/coverage
	$(VENV42)/bin/coverage erase
	$(VENV42)/bin/coverage run -m pytest $(DJANGO_TESTS) $(PARALLEL) $(PYTEST_ARGS)
	$(VENV42)/bin/coverage combine --quiet
	$(VENV42)/bin/coverage html --quiet
	$(VENV42)/bin/coverage report

.PHONY: test-mariadb
test-mariadb: $(VENV)/.mysql ## the tests on a MariaDB server of their own
	$(PYTHON) -m tests.services run mariadb -- $(PYTHON) -m pytest $(DJANGO_TESTS) $(NO_DRILLS) $(PARALLEL) $(PYTEST_ARGS)

.PHONY: test-mysql
test-mysql: $(VENV)/.mysql ## the tests on a MySQL server of their own, fetched if need be
	$(PYTHON) -m tests.services run mysql -- $(PYTHON) -m pytest $(DJANGO_TESTS) $(NO_DRILLS) $(PARALLEL) $(PYTEST_ARGS)

.PHONY: test-postgres
test-postgres: $(VENV)/.installed ## the tests on a PostgreSQL server of their own
	$(PYTHON) -m tests.services run postgres -- $(PYTHON) -m pytest $(DJANGO_TESTS) $(PARALLEL) $(PYTEST_ARGS)

.PHONY: test-host
test-host: $(VENV)/.installed ## the tests inside a real Credentials checkout: CREDENTIALS=/path/to/checkout
	@test -n "$(CREDENTIALS)" || { echo "Say where it is: make test-host CREDENTIALS=/path/to/credentials" >&2; exit 2; }
	$(PYTHON) -m tests.host "$(CREDENTIALS)" $(DJANGO_TESTS) $(PARALLEL) $(PYTEST_ARGS)

##### More

.PHONY: run
run: $(VENV)/.installed ## keep a sandbox running, with the admin to click in; PORT chooses its port
	$(PYTHON) -m sandbox.run --port $(PORT)

.PHONY: bench
bench: $(VENV)/.mysql ## measure on MySQL and MariaDB what is wanted, up to 100 minutes; BENCH_ARGS=--small: 7 minutes
	$(PYTHON) -m sandbox.bench $(if $(filter-out file,$(origin DATABASE)),--database $(DATABASE)) $(BENCH_ARGS)

.PHONY: drills
drills: $(VENV)/.mysql ## break things on purpose and count what was lost: nothing; DATABASE and DRILLS_ARGS choose
	$(PYTHON) -m tests.services run $(DATABASE) -- $(PYTHON) -m sandbox.drills --database $(DATABASE) $(DRILLS_ARGS)

.PHONY: figures
figures: $(VENV)/.installed ## print figures of the code beside their limits; fails if one is exceeded
	$(PYTHON) -m tests.figures

LOCALES = $(sort $(notdir $(patsubst %/,%,$(wildcard badges_plugin/locale/*/))) $(LOCALE))
.PHONY: messages
messages: $(VENV)/.installed ## update the translations in badges_plugin/locale; LOCALE=de adds a language
	@for program in xgettext msgmerge msgfmt; do command -v $$program >/dev/null \
	  || { echo "GNU gettext is missing: apt-get install gettext" >&2; exit 1; }; done
	@test -n "$(LOCALES)" || { echo "There is no language yet. Add one: make messages LOCALE=de" >&2; exit 2; }
	cd badges_plugin && ../$(VENV)/bin/django-admin makemessages $(addprefix --locale ,$(LOCALES)) --add-location file
	cd badges_plugin && ../$(VENV)/bin/django-admin compilemessages $(addprefix --locale ,$(LOCALES))

# The names that the translation flow of Open edX calls (OEP-58). The English catalog is made there and not kept here.
.PHONY: extract_translations
extract_translations: $(VENV)/.installed ## for openedx-translations: write badges_plugin/locale/en, the texts to translate
	cd badges_plugin && ../$(VENV)/bin/django-admin makemessages --locale en --add-location file

.PHONY: compile_translations
compile_translations: $(VENV)/.installed ## compile the catalogs that are there, such as those that atlas pulled
	cd badges_plugin && ../$(VENV)/bin/django-admin compilemessages

.PHONY: docs
docs: $(VENV)/.installed ## build the documentation into docs/_build/html
	$(PYTHON) -m sphinx -W --keep-going -q -b html docs docs/_build/html

.PHONY: dist
dist: $(VENV)/.installed ## build both distributions into dist, and check how an index would show them
	rm -rf dist
	$(PYTHON) -m build --outdir dist .
	$(PYTHON) -m build --outdir dist distributions/tutor
	$(VENV)/bin/twine check --strict dist/*

.PHONY: clean
clean: ## remove environments, caches and what the sandbox left behind
	rm -rf .venv .venv-* .cache var dist build *.egg-info docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
