from typing import Any

import pytest
from flowbuilder import row
from judging import ATTEMPT, MEDIUM, OBS, OPEN, judged, only

CHECK = "proxy-bypassed"
PROXY = {"kind": "socks", "address": "10.0.0.9", "port": 1080}
SITE: dict[str, Any] = {"proxies": [{**PROXY, "required": True}]}
DIRECT = row("10.0.0.5:40000", "204.164.111.9:16384")


@pytest.mark.parametrize(("history", "outcome"), [("ShADadFf", OPEN), ("S", ATTEMPT)])
def test_session_around_the_proxy_is_medium(history: str, outcome: object) -> None:
    found = only(CHECK, row("10.0.0.5:40000", "204.164.111.9:16384", history=history), site=SITE)
    assert (found.severity, found.outcome, found.certain, found.statements) == (MEDIUM, outcome, True, ())


def test_proxy_that_is_only_listed_may_be_left_aside() -> None:
    assert not judged(CHECK, DIRECT, site={"proxies": [PROXY]})
    assert not judged(CHECK, DIRECT)


def test_session_through_the_proxy_is_silent() -> None:
    request = {"flow": 0, "kind": "socks-request", "number": 5, "address": "204.164.111.9", "port": 16384}
    assert not judged(CHECK, row("10.0.0.5:40000", "10.0.0.9:1080"), events=[request], site=SITE)


def test_what_the_proxy_sends_on_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.9:40000", "204.164.111.9:16384"), site=SITE)


def test_mapped_port_is_silent() -> None:
    site = {**SITE, "mapped_proxies": {"10.0.0.8:9001": "204.164.111.5"}}
    assert not judged(CHECK, row("10.0.0.5:40000", "10.0.0.8:9001"), packs=[OBS], site=site)


def test_translated_address_may_be_the_proxys() -> None:
    site = {**SITE, "vantage": "outside", "nat": ["192.0.2.1"]}
    assert not judged(CHECK, row("192.0.2.1:40000", "204.164.111.9:16384"), packs=[OBS], site=site)


def test_session_begun_before_the_capture_is_inferred() -> None:
    assert not only(CHECK, row("10.0.0.5:40000", "204.164.111.9:16384", history="Dd"), site=SITE).certain


def test_traffic_of_no_vendor_and_from_outside_is_silent() -> None:
    assert not judged(
        CHECK, row("10.0.0.5:40000", "198.51.100.7:443"), row("204.164.111.9:4000", "10.0.0.5:22"), site=SITE
    )
