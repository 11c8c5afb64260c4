import pytest
from flowbuilder import CAPTURE_START_NS, row
from judging import MEDIUM, OBSERVED, judged, only, rows_of, undecided

CHECK = "unsolicited-return"
SERVER, CLIENT = "204.164.111.9:16384", "10.0.0.5:49152"
SECOND = 10**9


def stray(start: float, history: str = "D", **more: object) -> object:
    return row(SERVER, CLIENT, history=history, start=start, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("history", ["D", "DA", "R", "FA", "H"])
def test_servers_packets_that_no_session_explains_are_found_late_in_the_capture(history: str) -> None:
    found = only(CHECK, stray(301.0, history))
    assert (found.severity, found.outcome, found.certain) == (MEDIUM, OBSERVED, True)


def test_early_in_the_capture_they_are_undecided() -> None:
    assert not judged(CHECK, stray(299.0))
    assert undecided(CHECK, stray(299.0), stray(301.0)) == [0]


def test_site_can_lengthen_the_grace() -> None:
    assert not judged(CHECK, stray(301.0), site={"thresholds": {"midstream_grace": 400}})


def test_absurdly_long_grace_is_just_long() -> None:
    assert not judged(CHECK, stray(301.0), site={"thresholds": {"midstream_grace": 10**17}})


def test_one_sided_capture_proves_nothing() -> None:
    assert not judged(CHECK, stray(301.0), one_sided=True)
    assert undecided(CHECK, stray(301.0), one_sided=True) == [0]


def test_capture_that_lost_packets_makes_it_inferred() -> None:
    assert not only(CHECK, stray(301.0), complete=False).certain


def test_straggler_of_an_earlier_session_is_explained() -> None:
    assert not judged(CHECK, row(CLIENT, SERVER, start=400.0), stray(500.0, "R"))


def test_session_of_another_port_explains_nothing() -> None:
    assert rows_of(CHECK, row("10.0.0.5:49153", SERVER, start=400.0), stray(500.0)) == [1]


def test_later_session_explains_nothing() -> None:
    assert rows_of(CHECK, stray(500.0), row(CLIENT, SERVER, start=600.0)) == [0]


def test_two_interfaces_may_disagree_about_the_order() -> None:
    assert not judged(CHECK, stray(500.0, "H"), row(CLIENT, SERVER, start=501.0, history="SA"))
    assert rows_of(CHECK, stray(500.0, "H"), row(CLIENT, SERVER, start=501.1, history="SA")) == [0]


def test_server_that_goes_on_after_its_syn_ack_was_answered_somewhere() -> None:
    assert not judged(CHECK, stray(500.0, "HAD"))


def test_session_with_packets_of_both_ends_is_no_return() -> None:
    assert not judged(CHECK, stray(500.0, "Da"))


def test_servers_syn_is_no_return() -> None:
    assert not judged(CHECK, stray(500.0, "S"))


def test_client_outside_is_of_no_concern() -> None:
    assert not judged(CHECK, row(SERVER, "198.51.100.1:49152", history="D", start=500.0))


def test_stranger_is_of_no_concern() -> None:
    assert not judged(CHECK, row("198.51.100.1:16384", CLIENT, history="D", start=500.0))


def test_after_a_pause_between_captures_the_grace_begins_anew() -> None:
    def capture(first: int, last: int) -> dict[str, object]:
        start = CAPTURE_START_NS
        return {"path": "x", "packets": 9, "first_ns": start + first * SECOND, "last_ns": start + last * SECOND}

    assert not judged(CHECK, stray(5000.0), captures=(capture(0, 900), capture(4900, 9000)), end=9000.0)
    assert rows_of(CHECK, stray(5000.0), captures=(capture(0, 4850), capture(4900, 9000)), end=9000.0) == [0]
