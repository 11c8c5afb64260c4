import pytest
from ftp import CLIENT, GREETING, IN_CLEAR, NODE, OPAQUE, UNDER_TLS, control, data, passive, said
from judging import HIGH, exercised, judged, only, rows_of, undecided

CHECK = "data-port-not-negotiated"
ANNOUNCED = said(GREETING, passive(20001))


def test_port_that_was_never_announced_is_high() -> None:
    found = only(CHECK, control(), data(port=23456), events=ANNOUNCED)
    assert (found.row, found.severity, found.certain, found.statements) == (1, HIGH, True, ("data-ports",))


@pytest.mark.parametrize("address", [None, "66.241.7.3", "10.9.9.9", "127.0.0.1", "0.0.0.0"])
def test_announced_port_is_silent_and_an_unroutable_address_means_the_server(address: str | None) -> None:
    assert not judged(CHECK, control(), data(), events=said(GREETING, passive(20001, address)))


def test_announcement_for_another_node_is_for_that_node() -> None:
    events = said(GREETING, passive(20001, NODE))
    assert rows_of(CHECK, control(), data(node=NODE), data(), events=events) == [2]


def test_announcement_to_another_client_is_not_for_this_one() -> None:
    flows = control(), control(client="10.0.0.6"), data(client="10.0.0.6")
    events = ANNOUNCED + said(GREETING, flow=1)
    assert rows_of(CHECK, *flows, events=events) == [2]


def test_control_under_tls_is_silent_and_says_nothing() -> None:
    flows = control(), data(port=23456)
    for events in (UNDER_TLS, said(GREETING, passive(20001), OPAQUE)):
        assert not judged(CHECK, *flows, events=events)
        assert undecided(CHECK, *flows, events=events) == []


def test_one_session_under_tls_may_have_announced_it() -> None:
    flows = control(), control(), data(port=23456)
    assert not judged(CHECK, *flows, events=ANNOUNCED + said(GREETING, OPAQUE, flow=1))


@pytest.mark.parametrize(
    ("history", "events"),
    [("Dd", said(passive(20001))), ("ShADadFf", said(GREETING, ("lost", {"text": "ftp"}), passive(20001)))],
    ids=["begun before the capture", "bytes missing"],
)
def test_session_read_in_part_decides_nothing(history: str, events: list[dict[str, object]]) -> None:
    flows = control(history=history), data(port=23456)
    assert not judged(CHECK, *flows, events=events)
    assert undecided(CHECK, *flows, events=events) == [1]


def test_session_of_which_nothing_was_read_decides_nothing() -> None:
    assert undecided(CHECK, control(), data()) == [1]


def test_connection_without_control_is_another_checks_concern() -> None:
    assert not judged(CHECK, control(100, 10), data(port=23456), events=said(GREETING, start=101))


def test_attempt_is_no_connection() -> None:
    assert not judged(CHECK, control(), data(port=23456, history="S"), events=ANNOUNCED)


def test_client_that_only_logged_in_was_given_no_port() -> None:
    assert rows_of(CHECK, control(client=CLIENT), data(), events=IN_CLEAR) == [1]


def test_announced_connection_puts_it_to_the_test() -> None:
    assert exercised(CHECK, control(), data(), events=ANNOUNCED) == [1]
    assert exercised(CHECK, control(), data(), events=UNDER_TLS) == []
