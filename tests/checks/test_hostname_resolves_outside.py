from dataclasses import replace
from typing import Any

import pytest
from flowbuilder import classified, number, row
from judging import CHECKS, HIGH, OBS, OBSERVED, exercised, judged, only

CHECK = "hostname-resolves-outside"
NAME = "rbs.drbackup.net"
LOOKUP = row("10.0.0.5:5353", "10.0.0.53:53", "udp")


def answer(*addresses: str, name: str = NAME, cnames: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    items = (*(f"name {one}" for one in cnames), *(f"address {one}" for one in addresses))
    return {"flow": 0, "kind": "dns-answer", "text": name, "more": items, "flag": 0, "frame": 2, **more}


def test_address_outside_is_high_and_the_resolver_stands_between() -> None:
    found = only(CHECK, LOOKUP, events=[answer("198.51.100.9")])
    assert (found.severity, found.certain, found.outcome, found.statements) == (
        HIGH,
        True,
        OBSERVED,
        ("cluster-name",),
    )
    flows, context = classified(LOOKUP, events=[answer("198.51.100.9")])
    (hits,) = CHECKS[CHECK].find(flows, context)
    assert hits.vendor == "drbackup"
    assert hits.targets is not None
    assert hits.targets.lo.tolist() == [number("198.51.100.9")]
    assert hits.targets.through


def test_each_hit_names_the_name_that_was_asked_for() -> None:
    other = "www.drbackup.example"
    answers = [answer("198.51.100.9"), answer("198.51.100.9", flow=1)]
    flows, context = classified(LOOKUP, LOOKUP, events=answers, packs=["drbackup"])
    packs = tuple(replace(one, pack=replace(one.pack, hostnames=(NAME, other))) for one in context.packs)
    texts = (NAME, other)
    context = replace(context, packs=packs, events=replace(context.events, text=texts))
    assert [hits.extra for hits in CHECKS[CHECK].find(flows, context)] == [{"name": NAME}, {"name": other}]


@pytest.mark.parametrize("address", ["66.241.7.1", "66.241.7.30", "64:ff9b::42f1:701"])
def test_published_address_is_silent(address: str) -> None:
    assert not judged(CHECK, LOOKUP, events=[answer(address)])


@pytest.mark.parametrize("address", ["66.241.7.0", "66.241.7.31", "2001:db8::1", "127.0.0.1", "64:ff9b::c633:6409"])
def test_addresses_next_to_the_range_and_of_other_kinds_are_outside(address: str) -> None:
    assert only(CHECK, LOOKUP, events=[answer(address)]).severity == HIGH


def test_every_address_outside_counts_and_the_others_do_not() -> None:
    found = judged(CHECK, LOOKUP, events=[answer("66.241.7.9", "198.51.100.9", "198.51.100.10")])
    assert len(found) == 2


def test_alias_is_followed() -> None:
    assert only(CHECK, LOOKUP, events=[answer("198.51.100.9", cnames=("cluster.example",))]).severity == HIGH


def test_answer_without_address_is_silent() -> None:
    assert not judged(CHECK, LOOKUP, events=[answer(), answer(cnames=("cluster.example",)), answer(number=0x103)])


def test_name_of_no_vendor_is_silent() -> None:
    assert not judged(CHECK, LOOKUP, events=[answer("198.51.100.9", name="www.example")])
    assert not judged(CHECK, LOOKUP, events=[answer("198.51.100.9")], packs=[OBS])


def test_what_stands_for_the_vendor_at_the_site_is_silent() -> None:
    site = {"proxies": [{"kind": "socks", "address": "10.0.0.9", "port": 1080}]}
    assert not judged(CHECK, LOOKUP, events=[answer("10.0.0.9")], site=site)
    mapped = {"mapped_proxies": {"10.0.0.8:9001": "66.241.7.3"}}
    assert not judged(CHECK, LOOKUP, events=[answer("10.0.0.8")], site=mapped)
    assert judged(CHECK, LOOKUP, events=[answer("10.0.0.7")], site=mapped)


def test_network_that_the_site_adds_is_the_vendors() -> None:
    site = {"packs": {"drbackup": {"networks": ["198.51.100.0/28"]}}}
    assert not judged(CHECK, LOOKUP, events=[answer("198.51.100.9")], site=site)


def test_answers_with_addresses_put_it_to_the_test() -> None:
    flows, context = classified(LOOKUP, events=[answer("66.241.7.9", "66.241.7.8"), answer()])
    assert CHECKS[CHECK].exercised_apart(flows, context) == {"drbackup": 1}


def test_sessions_with_the_vendor_do_not_put_it_to_the_test() -> None:
    assert exercised(CHECK, row("10.0.0.5:40000", "66.241.7.3:21")) == []
