from typing import Any

import pytest
from flowbuilder import classified, row
from judging import ATTEMPT, CHECKS, HIGH, MEDIUM, OBS, OPEN, SECURIDATA, exercised, judged, only

CHECK = "proxy-target-outside-published"
VIA = row("10.0.0.5:40000", "10.0.0.9:1080")
CANDIDATES = "backup-direct|connected-backup|online-backup-service"


def asked(port: int = 16384, *, granted: int = 1, kind: str = "socks-request", **target: Any) -> list[dict[str, Any]]:
    request = {"flow": 0, "kind": kind, "number": 5, "port": port, "more": ("connect",), "time": 1000.1, **target}
    reply = {"flow": 0, "kind": "socks-reply", "flag": granted, "time": 1000.2}
    return [request, reply]


def test_signature_port_elsewhere_is_high() -> None:
    found = only(CHECK, VIA, events=asked(address="198.51.100.7"))
    assert (found.severity, found.certain, found.outcome, found.statements) == (HIGH, True, OPEN, ("socks",))
    flows, context = classified(VIA, events=asked(address="198.51.100.7"))
    (hits,) = CHECKS[CHECK].find(flows, context)
    assert hits.vendor == CANDIDATES
    assert hits.targets is not None
    assert hits.targets.port.tolist() == [16384]


def test_refused_request_is_an_attempt() -> None:
    assert only(CHECK, VIA, events=asked(address="198.51.100.7", granted=0)).outcome == ATTEMPT


def test_http_connect_is_found_as_well() -> None:
    site = {"proxies": [{"kind": "http", "address": "10.0.0.9", "port": 8080}]}
    flow = row("10.0.0.5:40000", "10.0.0.9:8080")
    events = [{"flow": 0, "kind": "http-connect", "address": "198.51.100.7", "port": 16384}]
    assert only(CHECK, flow, events=events, site=site).severity == HIGH


def test_target_by_name_cannot_be_judged() -> None:
    found = only(CHECK, VIA, events=asked(text="backup.example"))
    assert (found.severity, found.certain) == (MEDIUM, False)


@pytest.mark.parametrize("address", ["204.164.111.9", "140.239.229.0", "10.0.0.77"])
def test_published_targets_and_those_inside_are_silent(address: str) -> None:
    assert not judged(CHECK, VIA, events=asked(address=address))


def test_published_name_is_silent() -> None:
    assert not judged(CHECK, VIA, events=asked(211, text="rbs.drbackup.net"))
    assert judged(CHECK, VIA, events=asked(211, text="rbs.drbackup.example"))


def test_other_ports_are_silent() -> None:
    assert not judged(CHECK, VIA, events=asked(443, address="198.51.100.7") + asked(443, text="www.example"))


def test_vendor_without_networks_may_be_anywhere() -> None:
    assert not judged(CHECK, VIA, events=asked(4401, address="198.51.100.7"), packs=[SECURIDATA])


def test_address_that_the_site_allows_is_silent() -> None:
    site = {"backup_hosts": [{"address": "10.0.0.5", "dedicated": True}], "allowed": ["198.51.100.7"]}
    assert not judged(CHECK, VIA, events=asked(address="198.51.100.7"), site=site)


def test_direct_session_is_another_checks_concern() -> None:
    assert not judged(CHECK, row("10.0.0.5:40000", "198.51.100.7:16384"))


def test_proxied_session_is_not_judged_by_its_proxys_address() -> None:
    assert not judged("destination-outside-published", VIA, events=asked(address="198.51.100.7"))


def test_granted_request_for_a_vendors_server_puts_it_to_the_test() -> None:
    assert exercised(CHECK, VIA, events=asked(address="204.164.111.9"), packs=[OBS]) == [0]
    assert exercised(CHECK, VIA, events=asked(address="204.164.111.9", granted=0), packs=[OBS]) == []
