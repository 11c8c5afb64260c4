"""The traffic summary."""

from __future__ import annotations

from flowbuilder import Row, classified, row

from auditor.traffic import CLASSES, Amount, traffic_summary

NOTHING = {"unwanted_flows": 0, "unwanted_packets": 0, "unwanted_bytes": 0}


def summary(*rows: Row, site: dict[str, object] | None = None, **totals: int) -> dict[str, Amount]:
    flows, _ = classified(*rows, site=site)
    counted = traffic_summary(flows, {**NOTHING, **totals})
    assert tuple(counted) == CLASSES
    return {name: amount for name, amount in counted.items() if amount != Amount()}


def test_client_packets_stand_under_the_role_and_answers_under_return() -> None:
    session = row("10.0.0.5:3000", "66.241.7.1:21", packets=(6, 4), payload=(100, 0))
    assert summary(session) == {"control": Amount(1, 6, 6 * 40 + 100), "return": Amount(1, 4, 160)}


def test_direction_of_a_midstream_flow_does_not_matter() -> None:
    session = row("66.241.7.1:21", "10.0.0.5:3000", history="Da", packets=(4, 6), payload=(0, 0))
    assert summary(session) == {"control": Amount(1, 6, 240), "return": Amount(1, 4, 160)}


def test_unanswered_attempt_adds_no_flow_to_return() -> None:
    assert summary(row("10.0.0.5:3000", "66.241.7.1:21", history="S")) == {"control": Amount(1, 1, 40)}


def test_inbound_and_unpublished_count_both_directions() -> None:
    inbound = row("66.241.7.1:20", "10.0.0.5:3000", packets=(3, 2), payload=(0, 0))
    unpublished = row("10.0.0.5:3000", "66.241.7.1:80", packets=(3, 2), payload=(0, 0))
    assert summary(inbound, unpublished) == {"inbound": Amount(1, 5, 200), "unpublished": Amount(1, 5, 200)}


def test_answers_alone_stand_under_return() -> None:
    alone = row("66.241.7.1:21", "10.0.0.5:3000", history="D", packets=(3, 0), payload=(10, 0))
    assert summary(alone) == {"return": Amount(1, 3, 130)}


def test_feature_opened_from_outside_stands_undivided_under_its_role() -> None:
    site = {"packs": {"securidata": {"features": {"gui-monitoring": {"networks": ["198.51.100.0/24"]}}}}}
    asked = row("198.51.100.7:3000", "10.0.0.5:4403", packets=(3, 2), payload=(0, 0))
    assert summary(asked, site=site) == {"gui": Amount(1, 5, 200)}


def test_other_holds_resolvers_and_what_the_engine_only_counted() -> None:
    dns = row("10.0.0.5:3000", "10.0.0.53:53", "udp", packets=(1, 1), payload=(0, 0))
    found = summary(dns, site={"resolvers": ["10.0.0.53"]}, unwanted_flows=2, unwanted_packets=10, unwanted_bytes=1000)
    assert found == {"other": Amount(3, 12, 1056)}


def test_without_any_flow_only_the_engines_numbers_stand_there() -> None:
    counted = traffic_summary(None, {"unwanted_flows": 2, "unwanted_packets": 3, "unwanted_bytes": 4})
    assert counted["other"] == Amount(2, 3, 4)
    assert counted["control"] == Amount()
