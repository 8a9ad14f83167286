# On a bare machine with Python 3.11 or newer, git and make:
#   make run                 the whole stack in this terminal; PROFILE=fast shows a life cycle in a minute
#   make test                every check; ONLY="tests/outbox/test_messages.py -k lease" runs these tests alone, on both databases
#   make demo                the life cycle, driven from outside against a stack of its own; URL=… against another one,
#                            GATEWAY=razorpay or stripe against a fake of that gateway
#   make restore-drill       dump, restore into an empty database, start on it, and the demo passes there
#   make chaos               a storm of faults over the whole stack, and its figures; SEED=n repeats one, MINUTES=n,
#                            GATEWAY=razorpay or stripe for the money, ROOMS=zoom or jitsi for rooms, BEHIND="pooler proxy" puts PgBouncer and nginx between,
#                            BEHIND="host proxy" loses one of two hosts in the middle
#   make ops-test            the alerts against their tests, and what is seen in time of real faults; ONLY="rules scrape"
#   make pooler-test         a part of the tests through PgBouncer, which it unpacks into var/; ONLY="tests/outbox -k lease"
#   make proxy-test          the example of nginx under a real one, which it unpacks into var/
#   make browser             the desk and Your data in a real browser: installs what it needs, leaves screenshots in var/screenshots/
#   make model               random visitors, staff, money and clocks against every rule; STEPS=20000, SEED=n repeats a run
#   make bench               speed beside the fastest plain code for the same work, kept in docs/speed.md; ONLY="requests mails",
#                            SEED=n, ROUNDS=n; the desk's pages over a large practice: ONLY=desk BOOKINGS=1000000
#   make simulate            a year of a practice in compressed time, what holds each month and what a booking costs; DAYS=n, SESSIONS=n a day, SEED=n
#   make security            each security control in production settings, and a whole stack searched and attacked; ONLY="controls"
#   make audit               known vulnerabilities in what is installed; fails, too, where it could ask nobody
#   make bill                the software bill of materials, CycloneDX, as var/bill.json
#   make clients             clients in TypeScript and Python from docs/openapi.yaml, and the examples on a stack of their own; needs Node 20
#   make manage CMD="check"  manage.py in the environment of the running stack
#   make lock, make format, make readme, make clean

PROFILE ?= default
PORT ?= 8000
PYTHON := .venv/bin/python
UV := $(shell command -v uv || echo .venv/bin/uv)

# A virtualenv that was moved here, or whose Python is gone, is made again: its scripts name the folder they were made for
BELONGS_HERE := import sys; sys.exit(sys.prefix not in open(".venv/bin/pip").read())
ifneq ($(shell $(PYTHON) -c '$(BELONGS_HERE)' 2>/dev/null && echo yes),yes)
.PHONY: .venv/pyvenv.cfg
endif

.PHONY: run test demo restore-drill chaos ops-test pooler-test proxy-test browser mail-preview model clients audit bill security manage bench simulate lock format messages readme clean

run: .venv/run.stamp
	@exec $(PYTHON) -m config.local.run --profile "$(PROFILE)" --port "$(PORT)"

test: .venv/dev.stamp
	@exec $(PYTHON) -m config.local.check $(ONLY)

demo: .venv/dev.stamp
	@exec $(PYTHON) -m tests.demo $(URL) $(if $(GATEWAY),--gateway "$(GATEWAY)")

restore-drill: .venv/dev.stamp
	@exec $(PYTHON) -m config.local.postgres -- $(PYTHON) -m tests.demo.restore_drill

chaos: .venv/dev.stamp
	@$(PYTHON) -m config.local.check -m stacks
	@exec $(PYTHON) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(GATEWAY),--gateway "$(GATEWAY)") $(if $(SQLITE),--sqlite) $(if $(ROOMS),--rooms $(ROOMS)) $(if $(BEHIND),--behind $(BEHIND))

pooler-test: .venv/dev.stamp
	@exec $(PYTHON) -m tests.pooler $(ONLY)

proxy-test: .venv/dev.stamp
	@exec $(PYTHON) -m tests.proxy

ops-test: .venv/dev.stamp
	@exec $(PYTHON) -m tests.alerts $(if $(ONLY),--only $(ONLY))

mail-preview: .venv/dev.stamp  # pictures of every mail into var/mail-preview/: languages, light and dark, two widths
	@exec $(PYTHON) -m tests.mail_preview

model: .venv/dev.stamp
	@TEST_WHOLE_TABLE=1 $(PYTHON) -m config.local.check tests/notifications/test_promises.py -n 3
	@exec $(PYTHON) -m config.local.postgres -- $(PYTHON) -m tests.model --steps "$(STEPS)" $(if $(SEED),--seed "$(SEED)")
STEPS ?= 5000

browser: .venv/dev.stamp
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	    echo "Installing chromium …"; $(AS_ROOT) apt-get -qq update && $(AS_ROOT) apt-get -qq install -y chromium; }
	@exec $(PYTHON) -m tests.browser
AS_ROOT := $(shell test "$$(id -u)" = 0 || echo sudo)

clients: .venv/clients.stamp
	@exec $(PYTHON) -m tests.clients

audit: .venv/security.stamp
	@exec $(PYTHON) -m config.local.audit

security: .venv/security.stamp
	@exec $(PYTHON) -m tests.security $(ONLY) $(if $(SEED),--seed $(SEED))

bill: .venv/security.stamp
	@exec $(PYTHON) -m config.local.bill var/bill.json

manage: .venv/run.stamp
	@test -f var/stack.env || { echo "There is no stack yet: make run" >&2; exit 1; }
	@ENV_FILE=var/stack.env exec $(PYTHON) manage.py $(CMD)

bench: .venv/dev.stamp
	@exec $(PYTHON) -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(BOOKINGS),--bookings $(BOOKINGS)) $(if $(MINUTES),--minutes $(MINUTES))

simulate: .venv/dev.stamp
	@exec $(PYTHON) -m tests.simulate $(if $(DAYS),--days $(DAYS)) $(if $(SESSIONS),--sessions $(SESSIONS)) $(if $(SEED),--seed $(SEED))

lock: .venv/uv.stamp
	$(UV) pip compile -q $(LOCKED) pyproject.toml -o requirements.txt
	$(UV) pip compile -q $(LOCKED) --group dev pyproject.toml -c requirements.txt -o requirements-dev.txt
	$(UV) pip compile -q $(LOCKED) --group security pyproject.toml -c requirements.txt -c requirements-dev.txt -o requirements-security.txt
	$(UV) pip compile -q $(LOCKED) --group clients pyproject.toml -c requirements.txt -c requirements-dev.txt -o requirements-clients.txt
	echo uv | $(UV) pip compile -q $(LOCKED) - -o requirements-uv.txt
LOCKED := --universal --python-version 3.11 --no-header --no-annotate --generate-hashes

format: .venv/dev.stamp
	$(PYTHON) -m ruff check -q --fix
	$(PYTHON) -m ruff format -q

messages: .venv/dev.stamp  # what visitors read, in every language: found in the sources, and compiled
	@$(PYTHON) -m config.local.messages

readme: .venv/dev.stamp  # the generated parts of README and docs: state machine, configuration
	@$(PYTHON) -m config.local.readme

clean:  # leaves var/: it holds data and keys
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis var/test var/demo

# Interpreters are tried by running them: a version manager's shim may be on the PATH and lead nowhere
.venv/pyvenv.cfg:
	@for python in python3.13 python3.12 python3.11 python3; do \
	    $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    rm -rf .venv; \
	    if $$python -m venv .venv; then exit 0; fi; \
	done; \
	echo "No Python 3.11 or newer with venv found. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1

# uv installs in a few seconds; pip takes over where uv cannot be had, and does without its settings where they break it
# Each refuses a file whose hash the lock file does not name
PIP := .venv/bin/python -m pip -qq --disable-pip-version-check
INSTALL = { test -x "$(UV)" && UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy "$(UV)" pip install -q --compile-bytecode --python $(PYTHON) --require-hashes -r $(1); } \
	|| $(PIP) install --require-hashes -r $(1) || PIP_CONFIG_FILE=/dev/null $(PIP) --isolated install --require-hashes -r $(1)

.venv/uv.stamp: requirements-uv.txt .venv/pyvenv.cfg
	@echo "Installing into .venv …"
	@test -x "$(UV)" || $(PIP) install --require-hashes -r requirements-uv.txt \
	    || PIP_CONFIG_FILE=/dev/null $(PIP) --isolated install --require-hashes -r requirements-uv.txt || true
	@touch $@

.venv/run.stamp: requirements.txt .venv/uv.stamp
	@$(call INSTALL,requirements.txt)
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@$(call INSTALL,requirements-dev.txt)
	@touch $@

.venv/security.stamp: requirements-security.txt .venv/dev.stamp
	@$(call INSTALL,requirements-security.txt)
	@touch $@

.venv/clients.stamp: requirements-clients.txt .venv/dev.stamp
	@$(call INSTALL,requirements-clients.txt)
	@touch $@
