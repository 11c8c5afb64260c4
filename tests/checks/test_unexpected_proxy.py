from typing import Any

from flowbuilder import classified, row
from judging import CHECKS, MEDIUM, OBS, OPEN, exercised, judged, only

CHECK = "unexpected-proxy"
SITE = {"proxies": [{"kind": "socks", "address": "10.0.0.9", "port": 1080}]}


def asked(address: str = "204.164.111.9", flow: int = 0) -> list[dict[str, Any]]:
    request = {"flow": flow, "kind": "socks-request", "number": 5, "address": address, "port": 16384, "time": 1000.1}
    return [request, {"flow": flow, "kind": "socks-reply", "flag": 1, "time": 1000.2}]


def test_proxy_that_is_not_listed_is_medium() -> None:
    found = only(CHECK, row("10.0.0.5:40000", "10.0.0.66:1080"), events=asked(), site=SITE)
    assert (found.severity, found.certain, found.outcome, found.statements) == (MEDIUM, True, OPEN, ("socks",))


def test_listed_proxy_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:40000", "10.0.0.9:1080"), events=asked(), site=SITE)


def test_site_without_proxies_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:40000", "10.0.0.66:1080"), events=asked())


def test_traffic_of_no_vendor_is_silent() -> None:
    request = asked("198.51.100.7")[0] | {"port": 443}
    assert not judged(CHECK, row("10.0.0.5:40000", "10.0.0.66:1080"), events=[request], site=SITE)


def test_mapped_port_of_the_site_is_silent() -> None:
    site = {**SITE, "mapped_proxies": {"10.0.0.8:9001": "204.164.111.5"}}
    mapped = row("10.0.0.5:40000", "10.0.0.8:9001")
    assert not judged(CHECK, mapped, packs=[OBS], site=site)


def test_socks_and_mapped_ports_put_different_statements_to_the_test() -> None:
    site = {"mapped_proxies": {"10.0.0.8:9001": "204.164.111.5"}}
    rows = row("10.0.0.5:40000", "10.0.0.66:1080"), row("10.0.0.5:40001", "10.0.0.8:9001")
    assert exercised(CHECK, *rows, events=asked(), packs=[OBS], site=site) == [0]
    flows, context = classified(*rows, events=asked(), packs=[OBS], site=site)
    assert CHECKS[CHECK].exercised_for("mapped-proxy", flows, context).tolist() == [1]


def test_direct_session_is_silent_and_tests_nothing() -> None:
    direct = row("10.0.0.5:40000", "204.164.111.9:16384")
    assert not judged(CHECK, direct, site=SITE)
    assert exercised(CHECK, direct, site=SITE) == []


def test_http_proxy_is_told_under_the_other_proxies() -> None:
    site = {"proxies": [{"kind": "http", "address": "10.0.0.9", "port": 8080}]}
    request = {"flow": 0, "kind": "http-connect", "address": "204.164.111.9", "port": 16384}
    found = only(CHECK, row("10.0.0.5:40000", "10.0.0.66:8080"), events=[request], site=site)
    assert found.statements == ("mapped-proxy",)
