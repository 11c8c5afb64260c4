from typing import Any

import pytest
from flowbuilder import row
from judging import ATTEMPT, HIGH, MEDIUM, OBS, OPEN, SECURIDATA, judged, only, rows_of

CHECK = "destination-outside-published"
CLIENT, STRANGER = "10.0.0.5:49152", "198.51.100.7:16384"
DEDICATED = {"backup_hosts": [{"address": "10.0.0.5", "dedicated": "true"}, "10.0.0.6"]}


@pytest.mark.parametrize(
    ("history", "severity", "outcome"),
    [
        ("S", MEDIUM, ATTEMPT),
        ("Sr", MEDIUM, ATTEMPT),
        ("Sh", HIGH, OPEN),
        ("ShADadFf", HIGH, OPEN),
        ("SAD", HIGH, OPEN),
    ],
)
def test_severity_follows_the_outcome(history: str, severity: object, outcome: object) -> None:
    found = only(CHECK, row(CLIENT, STRANGER, history=history))
    assert (found.severity, found.outcome, found.certain) == (severity, outcome, True)


@pytest.mark.parametrize("port", [16384, 211])
def test_signature_ports_are_looked_for_everywhere(port: int) -> None:
    assert rows_of(CHECK, row(CLIENT, f"198.51.100.7:{port}")) == [0]


def test_address_next_to_the_published_range_is_outside() -> None:
    assert rows_of(CHECK, *[row(CLIENT, f"66.241.7.{last}:211") for last in (0, 1, 30, 31)]) == [0, 3]
    assert rows_of(CHECK, *[row(CLIENT, f"193.239.112.{last}:16384") for last in (0, 254, 255)]) == [2]


def test_published_and_site_given_networks_are_silent() -> None:
    site = {"packs": {OBS: {"networks": ["198.51.100.0/24"]}}}
    assert not judged(CHECK, row(CLIENT, STRANGER), row(CLIENT, "204.164.111.9:16384"), packs=[OBS], site=site)


def test_pack_that_is_not_enabled_publishes_nothing_here() -> None:
    assert rows_of(CHECK, row(CLIENT, "193.239.112.9:16384"), packs=[OBS]) == [0]


@pytest.mark.parametrize(
    "flow",
    [
        row("10.0.0.5:16384", "198.51.100.7:443"),  # a client port that happens to be 16384
        row("198.51.100.7:16384", "10.0.0.5:443"),  # and one of somebody who comes in
        row("10.0.0.5:8443", STRANGER, history="Dd", start=1.0),  # the same, begun before the capture
        row(CLIENT, "10.9.9.9:16384"),
        row(CLIENT, "198.51.100.7:16385"),
        row(CLIENT, STRANGER, "udp"),
        row(CLIENT, STRANGER, history="R"),
    ],
)
def test_near_misses_are_silent(flow: object) -> None:
    assert not judged(CHECK, flow)


def test_session_that_began_before_the_capture_is_inferred() -> None:
    found = only(CHECK, row(CLIENT, STRANGER, history="Dd", start=1.0))
    assert (found.severity, found.certain) == (HIGH, False)


def test_port_scan_is_not_looking_for_the_vendor() -> None:
    scans = [("10.0.0.5", "198.51.100.7")]
    flows = row(CLIENT, STRANGER), row("10.0.0.6:4000", STRANGER), row(CLIENT, "198.51.100.8:16384")
    assert rows_of(CHECK, *flows, port_scans=scans) == [1, 2]


def test_pack_without_networks_may_go_anywhere() -> None:
    assert not judged(CHECK, row(CLIENT, "198.51.100.7:4401"))


def test_pack_whose_networks_the_site_lists_may_not() -> None:
    site = {"packs": {SECURIDATA: {"networks": ["203.0.113.0/28"]}}}
    flows = row(CLIENT, "198.51.100.7:4401"), row(CLIENT, "203.0.113.5:4401")
    assert rows_of(CHECK, *flows, packs=[SECURIDATA], site=site) == [0]


def test_declared_helpers_and_allowed_addresses_are_silent() -> None:
    proxies = [{"kind": "socks", "address": "198.51.100.7", "port": "16384"}]
    for site in ({"proxies": proxies}, {"resolvers": ["198.51.100.7"]}, {"allowed": ["198.51.100.0/24"]}):
        assert not judged(CHECK, row(CLIENT, STRANGER), site=site)


def test_dedicated_host_may_go_nowhere_else() -> None:
    flows = (
        row(CLIENT, "198.51.100.7:443"),
        row(CLIENT, "198.51.100.7:80", history="S"),
        row(CLIENT, "198.51.100.7:123", "udp"),
        row("10.0.0.5:8", "198.51.100.7:0", "icmp", packets=(1, 0)),
        row("10.0.0.6:49152", "198.51.100.7:443"),
        row("10.0.0.7:49152", "198.51.100.7:443"),
    )
    found = judged(CHECK, *flows, site=DEDICATED)
    assert [(one.row, one.severity) for one in found] == [(0, HIGH), (1, MEDIUM), (2, HIGH), (3, MEDIUM)]
    assert not judged(CHECK, *flows)


@pytest.mark.parametrize(
    "flow",
    [
        row(CLIENT, "204.164.111.9:16384"),
        row(CLIENT, "204.164.111.9:443"),  # port-not-published
        row(CLIENT, "10.0.0.1:443"),
        row(CLIENT, "239.255.255.250:1900", "udp"),
        row(CLIENT, "255.255.255.255:67", "udp"),
        row(CLIENT, "198.51.100.9:4401"),  # securidata publishes no networks
        row("198.51.100.7:5000", "10.0.0.5:22", history="Sr"),
        row(CLIENT, "198.51.100.7:443", history="R"),
        row("10.0.0.5:3", "198.51.100.7:3", "icmp", packets=(1, 0)),
        row("10.0.0.5:3389", "198.51.100.7:50000", history="Dd", start=1.0),
        row(CLIENT, "198.51.100.7:443", history="D", start=1.0),
        row("198.51.100.7:443", CLIENT, history="D", start=1.0),
    ],
)
def test_dedicated_host_is_not_blamed_for_what_is_allowed_or_answered(flow: object) -> None:
    assert not judged(CHECK, flow, site=DEDICATED)


def test_local_addresses_are_no_destinations_outside_whatever_the_site_lists() -> None:
    site = {"inside": ["10.0.0.0/8"], **DEDICATED}
    assert not judged(CHECK, row(CLIENT, "169.254.1.1:80"), row(CLIENT, "127.0.0.1:80"), site=site)


@pytest.mark.parametrize(
    ("client", "server", "found"), [(32767, 443, 0), (32768, 443, 1), (50000, 32767, 1), (50000, 32768, 0)]
)
def test_only_ports_that_tell_client_from_server_make_a_running_session_the_hosts(
    client: int, server: int, found: int
) -> None:
    flow = row(f"10.0.0.5:{client}", f"198.51.100.7:{server}", history="Dd", start=1.0)
    assert len(judged(CHECK, flow, site=DEDICATED)) == found


def test_dedicated_hosts_running_session_is_inferred() -> None:
    assert not only(CHECK, row(CLIENT, "198.51.100.7:443", history="Dd", start=1.0), site=DEDICATED).certain


def test_site_allows_further_destinations_of_dedicated_hosts() -> None:
    site = {**DEDICATED, "allowed": ["198.51.100.7"], "resolvers": ["198.51.100.53"]}
    flows = row(CLIENT, "198.51.100.7:443"), row(CLIENT, "198.51.100.53:53", "udp"), row(CLIENT, "198.51.100.8:443")
    assert rows_of(CHECK, *flows, site=site) == [2]


def announced(address: str, *more: dict[str, Any]) -> list[dict[str, Any]]:
    told: dict[str, Any] = {"kind": "ftp-passive", "port": 20001, "flag": 0, "address": address}
    events: list[dict[str, Any]] = [{"kind": "ftp-greeting"}, told, *more]
    return [{"flow": 0, "time": 901.0 + at, **event} for at, event in enumerate(events)]


CONTROL = row("10.0.0.5:40000", "66.241.7.3:21", start=900, duration=300)
STORED = {"kind": "ftp-transfer", "text": "stor", "flag": 1}


def test_announced_data_address_outside_is_an_attempt_until_a_transfer_starts() -> None:
    found = only(CHECK, CONTROL, events=announced("198.51.100.9"))
    assert (found.severity, found.outcome, found.certain, found.statements[0]) == (MEDIUM, ATTEMPT, True, "range")
    found = only(CHECK, CONTROL, events=announced("198.51.100.9", STORED))
    assert (found.severity, found.outcome) == (HIGH, OPEN)


def test_transfer_after_the_next_announcement_is_that_ones() -> None:
    inner = {"kind": "ftp-passive", "port": 20002, "flag": 1}
    assert only(CHECK, CONTROL, events=announced("198.51.100.9", inner, STORED)).outcome == ATTEMPT


@pytest.mark.parametrize("address", ["66.241.7.9", "10.9.9.9", "192.168.1.1", "0.0.0.0"])
def test_announced_address_that_is_published_or_cannot_be_routed_is_silent(address: str) -> None:
    assert not judged(CHECK, CONTROL, events=announced(address, STORED))


def test_announcement_of_no_vendors_server_is_silent() -> None:
    other = row("10.0.0.5:40000", "198.51.100.7:21", start=900, duration=300)
    assert not judged(CHECK, other, events=announced("198.51.100.9", STORED))
