import pytest
from flowbuilder import row
from judging import ATTEMPT, MEDIUM, OPEN, judged, only, rows_of

CHECK = "other-protocol-use"
SERVER, CLIENT = "204.164.111.9", "10.0.0.5"


@pytest.mark.parametrize("protocol", ["gre", "esp", "sctp", 2, 59])
def test_any_further_protocol_is_medium(protocol: str | int) -> None:
    found = only(CHECK, row(CLIENT, SERVER, protocol, packets=(1, 0)))
    assert (found.severity, found.outcome) == (MEDIUM, ATTEMPT)


def test_both_directions_count() -> None:
    assert rows_of(CHECK, row(SERVER, CLIENT, "esp"), row(CLIENT, SERVER, "esp")) == [0, 1]
    assert only(CHECK, row(CLIENT, SERVER, "esp", packets=(4, 4))).outcome == OPEN


@pytest.mark.parametrize("protocol", ["tcp", "udp", "icmp", "icmp6"])
def test_protocols_of_their_own_checks_are_silent(protocol: str) -> None:
    assert not judged(CHECK, row(f"{CLIENT}:8", f"{SERVER}:0", protocol))


def test_tunnels_to_others_are_silent() -> None:
    assert not judged(CHECK, row(CLIENT, "198.51.100.1", "esp"))


def test_multicast_of_a_vendor_is_not_inside() -> None:
    assert not judged(CHECK, row(SERVER, "224.0.0.1", 2, packets=(1, 0)))
