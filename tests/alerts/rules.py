"""The alert rules as data, promtool's tests of them, and what must hold between rules, tests, runbooks and metrics."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.alerts import promtool
from tests.alerts.cases import CASES, Fires, Quiet
from tests.support.server import ROOT

OPERATIONS = ROOT / "docs" / "operations"
ALERTS = OPERATIONS / "alerts.yml"
RUNBOOKS = OPERATIONS / "runbooks"
INTERVAL = 15  # seconds between two scrapes, and between two evaluations
CHANGE_AT, CHANGE_LATER_AT = 60, 20 * 60  # seconds; the later for rules that look back
SELECTOR = re.compile(r"(mindsettler_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')

Rules = dict[str, Any]


def load() -> Rules:
    """The file, parsed."""
    found: Rules = yaml.safe_load(ALERTS.read_text())
    return found


def by_name(rules: Rules) -> dict[str, dict[str, Any]]:
    """Each alert by its name."""
    return {rule["alert"]: rule for group in rules["groups"] for rule in group["rules"]}


def without(rules: Rules, alert: str) -> Rules:
    """The same rules, save one."""
    kept = [{**g, "rules": [rule for rule in g["rules"] if rule["alert"] != alert]} for g in rules["groups"]]
    return {"groups": kept}


def tested(rules: Rules, tests: dict[str, Any]) -> str:
    """What promtool says against these rules; empty when every test holds."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "alerts.yml").write_text(json.dumps(rules))  # JSON is YAML
        (Path(folder) / "tests.yml").write_text(json.dumps(tests))
        done = promtool.run("test", "rules", str(Path(folder) / "tests.yml"))
    return done.stdout.decode() if done.returncode else ""


def tests_of(rules: Rules, *alerts: str) -> dict[str, Any]:
    """The cases as promtool reads them; of these alerts, or of all."""
    known = by_name(rules)
    chosen = [case for case in CASES if not alerts or case.alert in alerts]
    return {
        "rule_files": ["alerts.yml"],
        "evaluation_interval": f"{INTERVAL}s",
        "tests": [_test(case, known[case.alert]) for case in chosen],
    }


def _test(case: Fires | Quiet, rule: dict[str, Any]) -> dict[str, Any]:
    changed_at = CHANGE_LATER_AT if "offset" in rule["expr"] else CHANGE_AT
    if isinstance(case, Fires):
        looks = {changed_at + case.wait - INTERVAL: [], changed_at + case.wait: _expected(case, rule)}
    else:
        looks = {at: [] for at in range(0, changed_at + 10 * INTERVAL, INTERVAL)}
    return {
        "interval": f"{INTERVAL}s",
        "input_series": [
            {"series": name, "values": _values(*values, changed_at, until=max(looks))}
            for name, values in case.series.items()
        ],
        "alert_rule_test": [
            {"eval_time": f"{at}s", "alertname": case.alert, "exp_alerts": alerts} for at, alerts in looks.items()
        ],
    }


def _values(before: float | str, after: float | str, changed_at: int, *, until: int) -> str:
    steps = changed_at // INTERVAL
    if isinstance(after, str):
        return " ".join([str(before)] * steps + [after])
    return " ".join([str(before)] * steps + [str(after)] * (until // INTERVAL - steps + 1))


def _expected(case: Fires, rule: dict[str, Any]) -> list[dict[str, Any]]:
    """One alert, its annotations filled in as Prometheus will."""
    labels = {**rule["labels"], **case.labels}
    said = {
        name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)
        for name, text in rule["annotations"].items()
    }
    return [{"exp_labels": labels, "exp_annotations": said}]


def unknown(rules: Rules, scrape: str) -> list[str]:
    """Metrics and label values that a rule names and this scrape has not; a scrape of a system that has everything."""
    seen = [sample for family in text_string_to_metric_families(scrape) for sample in family.samples]
    missing = []
    for alert, rule in by_name(rules).items():
        for metric, matchers in _selectors(rule["expr"]):
            samples = [sample for sample in seen if sample.name == metric]
            if not samples:
                missing.append(f"{alert}: no sample of {metric}")
            for label, operator, value in matchers:
                told = {sample.labels.get(label) for sample in samples}
                named = value.split("|") if "~" in operator else [value]
                missing += [f'{alert}: no {metric} with {label}="{one}"' for one in named if one not in told]
    return missing


def _selectors(expression: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    for metric, inside in SELECTOR.findall(expression):
        yield metric, MATCHER.findall(inside)
