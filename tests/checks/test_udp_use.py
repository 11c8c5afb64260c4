from datetime import date
from pathlib import Path

from flowbuilder import classified, row
from judging import ATTEMPT, CHECKS, DRBACKUP, HIGH, MEDIUM, OBS, OPEN, SECURIDATA, judged, only

from auditor.finding import Finding
from auditor.grouping import Grouping

CHECK = "udp-use"
SERVER, CLIENT = "204.164.111.9:16384", "10.0.0.5:40000"
DATACENTER = {"packs": {"securidata": {"networks": ["203.0.113.0/28"]}}}
MONITORED = {
    "packs": {
        "securidata": {
            "networks": ["203.0.113.0/28"],
            "features": {"gui-monitoring": {"networks": ["198.51.100.0/24"]}},
        }
    }
}


def test_outbound_udp_is_medium() -> None:
    found = only(CHECK, row(CLIENT, SERVER, "udp", history="D"))
    assert (found.severity, found.outcome, found.certain) == (MEDIUM, ATTEMPT, True)
    assert only(CHECK, row(CLIENT, SERVER, "udp")).outcome == OPEN


def test_inbound_udp_is_high() -> None:
    found = only(CHECK, row(SERVER, CLIENT, "udp", history="D"))
    assert (found.severity, found.certain) == (HIGH, True)


def test_who_sent_first_is_inferred_early_in_the_capture_and_in_one_sided_ones() -> None:
    assert not only(CHECK, row(SERVER, CLIENT, "udp", start=10.0)).certain
    assert only(CHECK, row(SERVER, CLIENT, "udp", history="D", start=10.0)).certain
    assert not only(CHECK, row(SERVER, CLIENT, "udp", history="D"), one_sided=True).certain
    assert only(CHECK, row(CLIENT, SERVER, "udp", start=10.0)).certain
    assert only(CHECK, row(SERVER, CLIENT, "udp", history="^d", start=10.0)).certain


def test_udp_16384_to_anywhere_else_is_somebodys_call() -> None:
    assert not judged(CHECK, row(CLIENT, "198.51.100.1:16384", "udp"))


def test_tcp_is_silent() -> None:
    assert not judged(CHECK, row(CLIENT, SERVER))


def test_multicast_of_a_vendor_is_not_inside() -> None:
    assert not judged(CHECK, row(SERVER, "239.1.2.3:5000", "udp", history="D"))


def test_contested_port_is_named_with_both_readings() -> None:
    contested, other = judged(
        CHECK,
        row(CLIENT, "203.0.113.5:4401", "udp"),
        row(CLIENT, "203.0.113.5:5000", "udp"),
        packs=[SECURIDATA],
        site=DATACENTER,
    )
    assert contested.severity == other.severity == MEDIUM
    assert contested.statements[0] == "conflict"
    assert "reading" in contested.message
    assert "conflict" not in other.statements
    assert "reading" not in other.message


def test_udp_of_a_feature_is_published_only_when_the_site_turned_it_on() -> None:
    call = row("198.51.100.7:5000", "10.0.0.5:4403", "udp")
    datacenter = row("203.0.113.5:5000", "10.0.0.5:4403", "udp")
    assert not judged(CHECK, call, packs=[SECURIDATA], site=MONITORED)
    assert only(CHECK, call, datacenter, packs=[SECURIDATA], site=MONITORED).row == 1
    assert only(CHECK, datacenter, packs=[SECURIDATA], site=DATACENTER).severity == HIGH


def test_securidata_without_networks_is_not_judged() -> None:
    assert not judged(CHECK, row(CLIENT, "203.0.113.5:4401", "udp"), packs=[SECURIDATA])


UDP_PACK = """
id: courier
title: Courier
version: "1"
source: {document: Courier and firewalls}
networks: {all: [198.51.100.0/24]}
services:
  - {id: backup, role: control, protocols: [udp], ports: [5000], statement: ports}
  - {id: call, role: gui, direction: inbound, protocols: [udp], ports: [5001], feature: calls}
statements:
  - {id: ports, what: Backups use UDP port 5000., section: Ports, checked_by: [udp-use]}
"""


def test_udp_that_a_pack_publishes_is_silent_even_where_the_answer_was_captured_first(tmp_path: Path) -> None:
    pack = tmp_path / "courier.yaml"
    pack.write_text(UDP_PACK)
    flows = (
        row(CLIENT, "198.51.100.1:5000", "udp"),
        row("198.51.100.1:5000", CLIENT, "udp"),
        row("198.51.100.1:5001", CLIENT, "udp"),
        row("198.51.100.1:6000", "10.0.0.5:5000", "udp"),
    )
    assert [one.row for one in judged(CHECK, *flows, packs=[str(pack)])] == [2, 3]


def test_translated_address_is_inside_when_captured_outside() -> None:
    site = {"vantage": "outside", "nat": ["192.0.2.1"]}
    assert only(CHECK, row("192.0.2.1:5000", SERVER, "udp"), packs=[OBS], site=site).severity == MEDIUM


RELAYED = [
    {"flow": 0, "kind": "socks-request", "address": "0.0.0.0", "port": 0, "number": 5, "more": ("udp-associate",)},
    {"flow": 0, "kind": "socks-reply", "flag": 1, "address": "10.0.0.9", "port": 40_000, "time": 1000.1},
]


def _by_relay(*far_ends: tuple[str, int]) -> list[Finding]:
    control = row("10.0.0.5:3000", "10.0.0.9:1080")
    relay = row("10.0.0.5:5000", "10.0.0.9:40000", "udp", start=1001)
    told = [
        {"flow": 1, "kind": "socks-datagram", "address": address, "port": port, "flag": 1, "time": 1001 + number}
        for number, (address, port) in enumerate(far_ends)
    ]
    flows, context = classified(
        control, relay, events=[*RELAYED, *told], site=DATACENTER, packs=[OBS, SECURIDATA, DRBACKUP]
    )
    return list(Grouping(flows, context, date(2026, 1, 1)).findings(CHECKS[CHECK]))


def test_each_vendors_server_behind_a_relay_is_a_finding() -> None:
    found = _by_relay(("198.51.100.1", 16384), ("204.164.111.9", 16384), ("203.0.113.5", 4401))
    assert sorted((one.vendor, one.server_ip, one.server_port, one.via) for one in found) == [
        (OBS, "204.164.111.9", 16384, "10.0.0.9"),
        (SECURIDATA, "203.0.113.5", 4401, "10.0.0.9"),
    ]
    assert all(one.severity == MEDIUM for one in found)
    (contested,) = [one for one in found if one.vendor == SECURIDATA]
    assert "by the first reading" in contested.message


def test_several_ports_of_one_server_behind_a_relay_are_one_finding() -> None:
    (found,) = _by_relay(("204.164.111.9", 16384), ("204.164.111.9", 53))
    assert (found.server_port, found.service_port, found.count) == (None, 40_000, 1)


def test_what_a_relay_does_for_others_is_nobodys_concern() -> None:
    assert not _by_relay(("198.51.100.1", 16384))
