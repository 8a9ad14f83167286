"""The alerts: each has a runbook and a test that fails without it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from backend.ops import findings
from backend.ops.business_figures import OverdueRule
from tests.alerts import promtool, rules
from tests.alerts.cases import CASES, Fires

pytestmark = pytest.mark.sqlite_only

with_promtool = pytest.mark.skipif(not promtool.found(), reason="promtool is not installed: make ops-test brings it")
ALERTS = sorted(rules.by_name(rules.load()))


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert sorted(page.stem for page in rules.RUNBOOKS.glob("*.md")) == ALERTS
    for name, rule in rules.by_name(rules.load()).items():
        assert rule["annotations"]["runbook"] == f"docs/operations/runbooks/{name}.md"
        assert rule["labels"]["severity"] in ("page", "ticket")


@pytest.mark.parametrize("alert", ALERTS)
def test_a_runbook_says_what_it_means_who_is_affected_where_to_look_and_what_to_do(alert: str) -> None:
    text = (rules.RUNBOOKS / f"{alert}.md").read_text()
    assert text.startswith(f"# {alert}\n")
    assert re.findall(r"^\*\*(.+?)\*\*", text, flags=re.MULTILINE) == ["Means.", "Affected.", "Look.", "Do."]


@pytest.mark.parametrize(
    ("alert", "limit"),
    [
        ("OutboxBehind", findings.BEHIND_AFTER),
        ("DeadlineMissed", findings.OVERDUE_AFTER),
        ("AttemptUnsettled", findings.OVERDUE_LATER[OverdueRule.ATTEMPT_IDLE]),
        ("PurgeOverdue", findings.OVERDUE_LATER[OverdueRule.DRAFT_PURGED]),
        ("RefundsOverdue", findings.REFUND_DUE_FOR),
        ("EventsWaiting", findings.EVENT_WAITS_FOR),
        ("BooksUncompared", findings.UNCOMPARED_AFTER),
        ("TransactionOpen", findings.TRANSACTION_OPEN_FOR),
    ],
)
def test_an_alert_and_the_operations_page_draw_the_line_at_the_same_place(alert: str, limit: timedelta) -> None:
    expression = rules.by_name(rules.load())[alert]["expr"]
    assert re.findall(r"> (\d+)", expression) == [f"{limit.total_seconds():.0f}"]


def test_every_alert_is_tested() -> None:
    assert sorted({case.alert for case in CASES if isinstance(case, Fires)}) == ALERTS


@with_promtool
def test_the_rules_are_rules() -> None:
    done = promtool.run("check", "rules", "--lint-fatal", str(rules.ALERTS))
    assert done.returncode == 0, done.stdout.decode()


@with_promtool
def test_each_alert_fires_on_its_time_and_not_before() -> None:
    loaded = rules.load()
    assert rules.tested(loaded, rules.tests_of(loaded)) == ""


@with_promtool
@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_that_is_deleted_is_missed(alert: str) -> None:
    loaded = rules.load()
    assert alert in rules.tested(rules.without(loaded, alert), rules.tests_of(loaded, alert))


def test_a_name_that_no_scrape_has_is_found() -> None:
    told = 'mindsettler_refunds{state="due"} 1\n'
    wrong = {"alert": "x", "expr": 'max(mindsettler_refunds{state="refuse"}) > 0 or mindsettler_refund > 1'}
    assert rules.unknown({"groups": [{"rules": [wrong]}]}, told) == [
        'x: no mindsettler_refunds with state="refuse"',
        "x: no sample of mindsettler_refund",
    ]
