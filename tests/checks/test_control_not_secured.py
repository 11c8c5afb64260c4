import pytest
from flowbuilder import row
from ftp import AUTH, AUTH_REFUSED, GREETING, IN_CLEAR, OPAQUE, QUIT, STORE, UNDER_TLS, USER, control, passive, said
from judging import HIGH, exercised, judged, only, undecided

CHECK = "control-not-secured"


def test_session_in_clear_is_high() -> None:
    found = only(CHECK, control(), events=IN_CLEAR)
    assert (found.severity, found.certain, found.statements) == (HIGH, True, ("encrypted",))


@pytest.mark.parametrize(
    "events",
    [
        UNDER_TLS,
        said(("ftp-opaque", {"flag": 1})),
        said(GREETING, ("ftp-auth", {"text": "ssl", "flag": 1}), OPAQUE),
        said(GREETING, AUTH, OPAQUE, "ftp-clear", passive(20001)),
        said(GREETING, USER, AUTH, OPAQUE),
    ],
    ids=["AUTH TLS", "implicit", "AUTH SSL", "CCC", "AUTH after the name"],
)
def test_secured_session_is_silent(events: list[dict[str, object]]) -> None:
    assert not judged(CHECK, control(), events=events)


def test_session_that_goes_on_in_clear_after_a_refusal_is_found() -> None:
    assert only(CHECK, control(), events=said(GREETING, AUTH_REFUSED, USER)).severity == HIGH


@pytest.mark.parametrize("events", [said(GREETING), said(GREETING, AUTH_REFUSED, QUIT), []])
def test_session_in_which_nothing_was_done_is_silent(events: list[dict[str, object]]) -> None:
    assert not judged(CHECK, control(), events=events)


def test_session_begun_before_the_capture_is_inferred() -> None:
    assert not only(CHECK, control(history="DdFf"), events=said(passive(20001), STORE)).certain


def test_ftp_of_no_vendor_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:40000", "198.51.100.7:21"), events=IN_CLEAR)


def test_session_within_a_tunnel_is_found_as_one_with_its_target() -> None:
    asked = {"flow": 0, "kind": "socks-request", "number": 5, "address": "66.241.7.3", "port": 21, "time": 900.5}
    found = only(CHECK, row("10.0.0.5:40000", "10.0.0.9:1080", start=900), events=[asked, *IN_CLEAR])
    assert found.statements == ("encrypted",)


def test_secured_session_puts_it_to_the_test() -> None:
    assert exercised(CHECK, control(), events=UNDER_TLS) == [0]
    assert exercised(CHECK, control(history="Dd"), events=UNDER_TLS) == []


def test_session_of_which_nothing_was_read_decides_nothing() -> None:
    assert undecided(CHECK, control()) == [0]
    assert undecided(CHECK, control(), events=UNDER_TLS) == undecided(CHECK, control(), events=IN_CLEAR) == []
