import pytest
from flowbuilder import row
from judging import ATTEMPT, DRBACKUP, LOW, MEDIUM, OPEN, SECURIDATA, judged, only, rows_of

CHECK = "port-not-published"
CLIENT = "10.0.0.5:49152"
DATACENTER = {"packs": {"securidata": {"networks": ["203.0.113.0/28"]}}}


@pytest.mark.parametrize(
    ("history", "severity", "outcome"),
    [
        ("S", LOW, ATTEMPT),
        ("Sr", LOW, ATTEMPT),
        ("Sh", MEDIUM, OPEN),
        ("ShADadFf", MEDIUM, OPEN),
        ("SAD", MEDIUM, OPEN),
    ],
)
def test_severity_follows_the_outcome(history: str, severity: object, outcome: object) -> None:
    found = only(CHECK, row(CLIENT, "204.164.111.9:443", history=history))
    assert (found.severity, found.outcome, found.certain) == (severity, outcome, True)


def test_published_ports_are_silent() -> None:
    servers = ("204.164.111.9:16384", "66.241.7.9:21", "66.241.7.9:211", "66.241.7.9:20000", "66.241.7.9:60000")
    assert not judged(CHECK, *[row(CLIENT, server) for server in servers], row(CLIENT, "96.231.233.4:443"))


def test_ports_next_to_the_published_range_are_found() -> None:
    assert rows_of(CHECK, *[row(CLIENT, f"66.241.7.9:{port}") for port in (19999, 60001, 20)]) == [0, 1, 2]


def test_service_is_published_for_its_own_networks_alone() -> None:
    flows = (row(CLIENT, "96.231.233.4:21"), row(CLIENT, "66.241.7.9:8008"))
    assert rows_of(CHECK, *flows, packs=[DRBACKUP]) == [0, 1]


def test_feature_that_is_off_publishes_nothing() -> None:
    assert rows_of(CHECK, row(CLIENT, "203.0.113.5:4403"), packs=[SECURIDATA], site=DATACENTER) == [0]


def test_session_that_began_before_the_capture_is_inferred() -> None:
    found = only(CHECK, row("204.164.111.9:443", CLIENT, history="DdA", start=1.0))
    assert (found.severity, found.certain) == (MEDIUM, False)


@pytest.mark.parametrize("history", ["S", "D", "R", "ShADad"])
def test_what_the_server_opens_or_sends_alone_is_another_checks_concern(history: str) -> None:
    assert not judged(CHECK, row("204.164.111.9:443", CLIENT, history=history))


def test_clients_lone_reset_is_no_session() -> None:
    assert not judged(CHECK, row(CLIENT, "204.164.111.9:443", history="R"))


def test_session_between_two_outside_hosts_is_silent() -> None:
    assert not judged(CHECK, row("204.164.111.9:443", "204.164.111.8:50000", history="Dd"))
    assert not judged(CHECK, row("198.51.100.1:50000", "204.164.111.8:443", history="Dd"))


@pytest.mark.parametrize("ends", [("10.0.0.5:0", "204.164.111.9:443"), ("10.0.0.5:49152", "204.164.111.9:0")])
def test_port_zero_at_one_end_is_a_port(ends: tuple[str, str]) -> None:
    assert rows_of(CHECK, row(*ends, history="S")) == [0]


def test_packets_without_readable_ports_are_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:0", "204.164.111.9:0", history="", packets=(2, 2)))


def test_signature_port_outside_the_networks_is_another_checks_concern() -> None:
    assert not judged(CHECK, row(CLIENT, "198.51.100.1:16384"))


def test_udp_is_another_checks_concern() -> None:
    assert not judged(CHECK, row(CLIENT, "204.164.111.9:443", "udp"))
