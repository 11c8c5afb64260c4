from typing import Any

import pytest
from flowbuilder import row
from judging import ATTEMPT, CRITICAL, HIGH, MEDIUM, OBS, OPEN, SECURIDATA, judged, only, rows_of, undecided

CHECK = "inbound-initiated"
SERVER, CLIENT = "204.164.111.9", "10.0.0.5"
DATACENTER = {"packs": {"securidata": {"networks": ["203.0.113.0/28"]}}}
MONITORED = {
    "packs": {
        "securidata": {
            "networks": ["203.0.113.0/28"],
            "features": {"gui-monitoring": {"networks": ["198.51.100.0/24"]}},
        }
    },
    "backup_hosts": [CLIENT],
}


@pytest.mark.parametrize("history", ["S", "Sr", "SR"])
def test_syn_that_gets_no_answer_or_a_reset_is_an_attempt(history: str) -> None:
    found = only(CHECK, row(f"{SERVER}:4000", f"{CLIENT}:22", history=history))
    assert (found.severity, found.outcome, found.certain) == (HIGH, ATTEMPT, True)


@pytest.mark.parametrize("history", ["Sh", "ShR", "ShADadFf", "Sd", "SA"])
def test_answered_syn_is_an_open_door(history: str) -> None:
    found = only(CHECK, row(f"{SERVER}:4000", f"{CLIENT}:22", history=history))
    assert (found.severity, found.outcome) == (CRITICAL, OPEN)


@pytest.mark.parametrize(
    "flow",
    [
        row(f"{SERVER}:4000", f"{CLIENT}:22", history="^hDd"),
        row(f"{CLIENT}:22", f"{SERVER}:4000", history="H"),
    ],
)
def test_inside_hosts_syn_ack_tells_of_an_inbound_session_without_its_syn(flow: object) -> None:
    found = only(CHECK, flow)
    assert (found.severity, found.certain) == (CRITICAL, False)


def test_session_that_the_client_opens_is_silent() -> None:
    assert not judged(CHECK, row(f"{CLIENT}:49152", f"{SERVER}:16384"))


@pytest.mark.parametrize("history", ["Da", "DdAa", "D", "FfA", "r", "R", "A"])
def test_midstream_flow_is_never_inbound_initiated(history: str) -> None:
    assert not judged(CHECK, row(f"{SERVER}:16384", f"{CLIENT}:49152", history=history, start=1.0))


def test_flow_that_begins_with_the_servers_syn_ack_is_the_clients() -> None:
    assert not judged(
        CHECK,
        row(f"{CLIENT}:49152", f"{SERVER}:16384", history="^hAdD"),
        row(f"{SERVER}:16384", f"{CLIENT}:49153", history="H"),
    )


def test_simultaneous_open_is_the_clients_as_well() -> None:
    assert not judged(CHECK, row(f"{SERVER}:16384", f"{CLIENT}:49152", history="SsHhAa"))


def test_lone_reset_of_a_server_is_backscatter() -> None:
    assert not judged(CHECK, row(f"{SERVER}:16384", f"{CLIENT}:49152", history="R"))


def test_outside_address_of_no_vendor_matters_to_backup_hosts_only() -> None:
    flows = (
        row("198.51.100.1:4000", f"{CLIENT}:22", history="S"),
        row("198.51.100.1:4001", f"{CLIENT}:22"),
        row("198.51.100.1:4002", "10.0.0.6:22"),
    )
    found = judged(CHECK, *flows, site={"backup_hosts": [CLIENT]})
    assert [(one.row, one.severity, one.outcome) for one in found] == [(0, MEDIUM, ATTEMPT), (1, HIGH, OPEN)]
    assert all(one.statements == () for one in found)
    assert not judged(CHECK, *flows)


def test_sessions_within_the_inside_are_nobodys_business() -> None:
    assert not judged(CHECK, row("10.0.0.9:4000", f"{CLIENT}:22"), site={"backup_hosts": [CLIENT]})


def test_feature_that_the_site_turned_on_is_silent_for_its_networks_alone() -> None:
    flows = (
        row("198.51.100.7:4000", f"{CLIENT}:4403"),
        row("198.51.100.7:4000", f"{CLIENT}:4404"),
        row("192.0.2.7:4000", f"{CLIENT}:4403"),
        row("203.0.113.5:4000", f"{CLIENT}:4403"),
    )
    found = judged(CHECK, *flows, packs=[SECURIDATA], site=MONITORED)
    assert [(one.row, one.severity) for one in found] == [(1, HIGH), (2, HIGH), (3, CRITICAL)]


def test_feature_that_is_off_allows_nothing() -> None:
    assert rows_of(CHECK, row("203.0.113.5:4000", f"{CLIENT}:4403"), packs=[SECURIDATA], site=DATACENTER) == [0]


def test_translated_address_is_inside_when_captured_outside() -> None:
    site = {"vantage": "outside", "nat": ["192.0.2.1"]}
    assert rows_of(CHECK, row(f"{SERVER}:4000", "192.0.2.1:22", history="S"), packs=[OBS], site=site) == [0]


def test_udp_from_outside_is_left_to_udp_use() -> None:
    assert not judged(CHECK, row(f"{SERVER}:4000", f"{CLIENT}:22", "udp"))


def test_session_on_no_published_port_that_began_before_the_capture_is_undecided() -> None:
    assert undecided(CHECK, row(f"{SERVER}:4000", f"{CLIENT}:22", history="Dd")) == [0]
    assert (
        undecided(
            CHECK,
            row(f"{SERVER}:16384", f"{CLIENT}:49152", history="Dd"),
            row(f"{SERVER}:4000", f"{CLIENT}:22", history="R"),
            row(f"{SERVER}:4000", f"{CLIENT}:22", "udp"),
            row(f"{SERVER}:4000", "198.51.100.1:22", history="Dd"),
            row("198.51.100.1:4000", f"{CLIENT}:22", history="Dd"),
            row(f"{CLIENT}:22", f"{SERVER}:4000"),
        )
        == []
    )


def asked_by_socks(command: str, *answers: int) -> list[dict[str, Any]]:
    """What a client and a SOCKS proxy say, a tenth of a second after each other."""
    request = {"kind": "socks-request", "number": 5, "address": SERVER, "port": 16384, "more": [command]}
    said = [request, *({"kind": "socks-reply", "flag": flag} for flag in answers)]
    return [{"flow": 0, "time": 1000 + number / 10, **one} for number, one in enumerate(said, start=1)]


@pytest.mark.parametrize(
    ("answers", "severity", "outcome"),
    [
        ((), HIGH, ATTEMPT),
        ((0,), HIGH, ATTEMPT),
        ((1,), HIGH, ATTEMPT),
        ((1, 0), HIGH, ATTEMPT),
        ((1, 1), CRITICAL, OPEN),
    ],
    ids=["unanswered", "refused", "listening", "in vain", "called"],
)
def test_connection_that_a_proxy_takes_from_a_server_is_found(answers: Any, severity: object, outcome: object) -> None:
    found = only(CHECK, row(f"{CLIENT}:40000", "10.0.0.9:1080"), events=asked_by_socks("bind", *answers))
    assert (found.severity, found.outcome, found.statements) == (severity, outcome, ("client-initiates",))


def test_connection_that_a_proxy_opens_to_a_server_is_silent() -> None:
    assert not judged(CHECK, row(f"{CLIENT}:40000", "10.0.0.9:1080"), events=asked_by_socks("connect", 1))
