from typing import Any

import pytest
from flowbuilder import classified, row
from judging import CHECKS, INFO, OBS, OBSERVED, exercised, judged, only

CHECK = "unneeded-name-resolution"
SITE = {"backup_hosts": [{"address": "10.0.0.5", "dedicated": True}]}
LOOKUP = row("10.0.0.5:50053", "10.0.0.53:53", "udp")
BACKUP = row("10.0.0.5:49152", "204.164.111.9:16384")


def test_dns_of_a_dedicated_host_is_told() -> None:
    found = only(CHECK, LOOKUP, packs=[OBS], site=SITE)
    assert (found.severity, found.outcome, found.statements) == (INFO, OBSERVED, ("no-dns",))


@pytest.mark.parametrize(
    "lookup",
    [
        row("10.0.0.5:50053", "8.8.8.8:53", "udp", history="D"),
        row("10.0.0.5:50053", "8.8.8.8:53"),
        row("10.0.0.5:50053", "9.9.9.9:853"),
    ],
    ids=["outside, unanswered", "TCP", "over TLS"],
)
def test_every_way_of_asking_is_told(lookup: Any) -> None:
    assert only(CHECK, lookup, packs=[OBS], site=SITE).severity == INFO


def test_host_that_is_not_dedicated_is_silent() -> None:
    assert not judged(CHECK, LOOKUP, packs=[OBS], site={"backup_hosts": ["10.0.0.5"]})
    assert not judged(CHECK, row("10.0.0.6:50053", "10.0.0.53:53", "udp"), packs=[OBS], site=SITE)


def test_host_whose_vendor_needs_names_is_silent() -> None:
    assert not judged(CHECK, LOOKUP, packs=["drbackup"], site=SITE)
    assert not judged(CHECK, LOOKUP, row("10.0.0.5:40000", "66.241.7.3:21"), BACKUP, site=SITE)


def test_host_that_asks_for_a_vendors_name_is_silent() -> None:
    answer = {"flow": 0, "kind": "dns-answer", "text": "rbs.drbackup.net", "more": ("address 66.241.7.9",)}
    assert not judged(CHECK, LOOKUP, BACKUP, site=SITE, events=[answer])


def test_vendors_that_the_host_uses_count_before_all_that_are_enabled() -> None:
    assert not judged(CHECK, LOOKUP, site=SITE)
    flows, context = classified(LOOKUP, BACKUP, site=SITE)
    (hits,) = CHECKS[CHECK].find(flows, context)
    assert hits.vendor == OBS


def test_resolver_that_answers_others_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.6:50053", "10.0.0.5:53", "udp"), packs=[OBS], site=SITE)


def test_other_traffic_of_the_host_is_silent() -> None:
    assert not judged(CHECK, BACKUP, row("10.0.0.5:50000", "10.0.0.7:443"), packs=[OBS], site=SITE)


def test_sessions_of_a_dedicated_host_put_it_to_the_test() -> None:
    assert exercised(CHECK, BACKUP, packs=[OBS], site=SITE) == [0]
    assert exercised(CHECK, BACKUP, packs=[OBS]) == []
