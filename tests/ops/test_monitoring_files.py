"""What operators load into Prometheus, Alertmanager and Grafana speaks of alerts and metrics that exist."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.alerts import promtool, rules

pytestmark = pytest.mark.sqlite_only

ALERTS = set(rules.by_name(rules.load()))
SOURCE = re.compile(r'(alertname)(=~|!~|=)"([^"]+)"')


def alertmanager() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((rules.OPERATIONS / "alertmanager.yml").read_text())
    return found


def chosen(matchers: list[str]) -> set[str]:
    """The alerts that these matchers mean; a name of none is an error."""
    (matcher,) = matchers
    found = SOURCE.fullmatch(matcher)
    assert found, matcher
    names = set(found[3].split("|"))
    assert names <= ALERTS, names - ALERTS
    return ALERTS - names if found[2] == "!~" else names


def inhibited() -> list[tuple[set[str], set[str]]]:
    return [
        (chosen(rule["source_matchers"]), chosen(rule["target_matchers"])) for rule in alertmanager()["inhibit_rules"]
    ]


def test_no_alert_hides_itself_or_its_own_cause() -> None:
    hides = {source: targets for sources, targets in inhibited() for source in sources}
    for source, targets in hides.items():
        assert source not in targets
        assert not [target for target in targets if source in hides.get(target, set())]


@pytest.mark.parametrize(
    ("cause", "consequence"),
    [
        ("BrokerDown", "WorkersSilent"),
        ("BrokerDown", "CanaryStale"),
        ("DatabaseDown", "BrokerDown"),
        ("BeatSilent", "DeadlineMissed"),
        ("WorkersSilent", "OutboxBehind"),
        ("ProviderRefuses", "EffectsOverdue"),
    ],
)
def test_a_cause_hides_its_consequence(cause: str, consequence: str) -> None:
    assert any(cause in sources and consequence in targets for sources, targets in inhibited())


def test_every_receiver_and_severity_is_routed() -> None:
    config = alertmanager()
    used = {config["route"]["receiver"], *(route["receiver"] for route in config["route"]["routes"])}
    assert used == {receiver["name"] for receiver in config["receivers"]} == {"page", "ticket"}


def test_stores_alert_before_those_who_need_them_fall_silent() -> None:
    waits = {name: rule.get("for", "0s") for name, rule in rules.by_name(rules.load()).items()}
    assert (waits["DatabaseDown"], waits["BrokerDown"]) == ("15s", "15s")  # a silence counts after 30 s


def test_prometheus_loads_the_rules_and_asks_often_enough() -> None:
    path = rules.OPERATIONS / "prometheus.yml"
    config = yaml.safe_load(path.read_text())
    assert config["global"]["scrape_interval"] == f"{rules.INTERVAL}s"
    assert [(rules.OPERATIONS / name).is_file() for name in config["rule_files"]] == [True]
    if promtool.found():
        done = promtool.run("check", "config", "--syntax-only", str(path))
        assert done.returncode == 0, done.stdout.decode()


DASHBOARD = rules.OPERATIONS / "grafana.json"


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def test_every_panel_has_a_place_a_title_and_a_query() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        fields = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not fields & taken, panel["title"]
        assert max(x for x, _ in fields) < 24
        taken |= fields
        assert panel["title"]
        assert panel["type"] == "row" or all(target["expr"] for target in panel["targets"])
    assert len({panel["id"] for panel in panels()}) == len(panels())
