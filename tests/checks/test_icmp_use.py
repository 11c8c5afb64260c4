import pytest
from flowbuilder import row
from judging import ATTEMPT, LOW, MEDIUM, OBSERVED, OPEN, judged, only

CHECK = "icmp-use"
SERVER, CLIENT, ROUTER = "204.164.111.9", "10.0.0.5", "204.164.111.1"


def quoting(flow: int, *, client: str = CLIENT, server: str = SERVER, protocol: str = "tcp") -> dict[str, object]:
    """The client's packet to the server, as an error quotes it."""
    return {"flow_id": flow, "protocol": protocol, "source": f"{client}:49152", "destination": f"{server}:16384"}


def test_echo_is_medium_whoever_asks() -> None:
    asked, answered, from_there = judged(
        CHECK,
        row(f"{CLIENT}:8", f"{SERVER}:0", "icmp", packets=(3, 0)),
        row(f"{CLIENT}:8", f"{SERVER}:0", "icmp", packets=(3, 3)),
        row(f"{SERVER}:8", f"{CLIENT}:0", "icmp", packets=(1, 0)),
    )
    assert {asked.severity, answered.severity, from_there.severity} == {MEDIUM}
    assert (asked.outcome, answered.outcome) == (ATTEMPT, OPEN)


def test_error_without_a_quote_is_low() -> None:
    found = only(CHECK, row(f"{SERVER}:3", f"{CLIENT}:1", "icmp", packets=(1, 0)))
    assert (found.severity, found.outcome) == (LOW, OBSERVED)


def test_error_of_the_vendors_own_server_is_low() -> None:
    error = row(f"{SERVER}:3", f"{CLIENT}:3", "icmp", packets=(1, 0), flow_id=7)
    assert only(CHECK, error, quotes=[quoting(7)]).severity == LOW


def test_router_in_the_vendors_network_speaks_of_the_path() -> None:
    error = row(f"{ROUTER}:11", f"{CLIENT}:0", "icmp", packets=(1, 0), flow_id=7)
    assert not judged(CHECK, error, quotes=[quoting(7)])


def test_router_that_quotes_something_else_is_found() -> None:
    error = row(f"{ROUTER}:11", f"{CLIENT}:0", "icmp", packets=(2, 0), flow_id=7)
    assert only(CHECK, error, quotes=[quoting(7, server="198.51.100.1")]).severity == LOW
    assert only(CHECK, error, quotes=[quoting(7), quoting(7, server=ROUTER)]).severity == LOW


def test_one_quote_of_its_own_session_is_enough_for_a_server_to_be_found() -> None:
    error = row(f"{SERVER}:3", f"{CLIENT}:1", "icmp", packets=(2, 0), flow_id=7)
    between = {"flow_id": 7, "protocol": "tcp", "source": "204.164.111.8:16384", "destination": f"{SERVER}:16384"}
    assert only(CHECK, error, quotes=[between]).severity == LOW


def test_quote_of_another_icmp_flow_explains_nothing() -> None:
    error = row(f"{ROUTER}:11", f"{CLIENT}:0", "icmp", packets=(1, 0), flow_id=7)
    assert only(CHECK, error, quotes=[quoting(6), quoting(8)]).severity == LOW


def test_router_elsewhere_is_silent() -> None:
    error = row("192.0.2.1:3", f"{CLIENT}:13", "icmp", packets=(1, 0), flow_id=7)
    assert not judged(CHECK, error, quotes=[quoting(7)])


def test_clients_error_about_the_vendors_flow_is_silent() -> None:
    error = row(f"{CLIENT}:3", f"{SERVER}:4", "icmp", packets=(1, 0), flow_id=7)
    answer = {"flow_id": 7, "protocol": "tcp", "source": f"{SERVER}:16384", "destination": f"{CLIENT}:49152"}
    assert not judged(CHECK, error, quotes=[answer])


def test_echo_is_no_error_whatever_it_quotes() -> None:
    echo = row(f"{ROUTER}:8", f"{CLIENT}:0", "icmp", packets=(1, 0), flow_id=7)
    assert only(CHECK, echo, quotes=[quoting(7)]).severity == MEDIUM


@pytest.mark.parametrize(("kind", "severity"), [(1, LOW), (2, LOW), (3, LOW), (128, MEDIUM), (139, MEDIUM)])
def test_icmpv6_counts_the_same_way(kind: int, severity: object) -> None:
    site = {"inside": ["2001:db8:1::/48"], "packs": {"securidata": {"networks": ["2001:db8:2::/48"]}}}
    flow = row(f"[2001:db8:2::9]:{kind}", "[2001:db8:1::5]:0", "icmp6", packets=(1, 0))
    assert only(CHECK, flow, packs=["securidata"], site=site).severity == severity


def test_icmp_with_others_is_silent() -> None:
    assert not judged(CHECK, row(f"{CLIENT}:8", "198.51.100.1:0", "icmp"), row("10.0.0.6:8", f"{CLIENT}:0", "icmp"))
