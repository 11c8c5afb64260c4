from flowbuilder import CAPTURE_START_NS, row
from judging import LOW, exercised, judged, only, rows_of

CHECK = "data-outlives-control"


def control(start: float, duration: float, *, client: str = "10.0.0.5", history: str = "ShADadFf") -> object:
    return row(f"{client}:40000", "66.241.7.3:21", start=start, duration=duration, history=history)


def data(start: float, last: float, *, history: str = "ShADaFf") -> object:
    last_data = CAPTURE_START_NS + round(last * 1e9)
    return row(
        "10.0.0.5:40001",
        "66.241.7.9:23456",
        start=start,
        duration=last - start + 500,
        history=history,
        payload=(10**6, 0),
        last_data_ns=last_data,
    )


def test_data_long_after_the_close_is_found() -> None:
    found = only(CHECK, control(900, 200), data(1000, 1161))
    assert (found.row, found.severity, found.certain) == (1, LOW, False)
    assert rows_of(CHECK, control(900, 200, history="ShADadr"), data(1000, 1161)) == [1]


def test_data_soon_after_the_close_is_silent_however_late_the_connection_closes() -> None:
    assert not judged(CHECK, control(900, 200), data(1000, 1160))


def test_site_can_change_the_grace() -> None:
    site = {"thresholds": {"control_close_grace": 10}}
    assert rows_of(CHECK, control(900, 200), data(1000, 1111), site=site) == [1]
    assert not judged(CHECK, control(900, 200), data(1000, 1111))
    assert not judged(CHECK, control(900, 200), data(1000, 1900), site={"thresholds": {"control_close_grace": 10**17}})


def test_control_session_that_was_not_seen_to_close_is_silent() -> None:
    for history in ("ShADad", "ShADadF", "ShADadf"):
        assert not judged(CHECK, control(900, 200, history=history), data(1000, 1900))


def test_latest_close_of_the_sessions_open_at_the_start_counts() -> None:
    assert not judged(CHECK, control(900, 200), control(950, 900), data(1000, 1800))
    assert rows_of(CHECK, control(900, 200), control(950, 300), data(1000, 1800)) == [2]


def test_session_opened_afterwards_does_not_own_the_data() -> None:
    assert rows_of(CHECK, control(900, 200), control(1050, 900), data(1000, 1800)) == [2]


def test_session_of_another_client_does_not_either() -> None:
    assert rows_of(CHECK, control(900, 200), control(900, 990, client="10.0.0.6"), data(1000, 1800)) == [2]


def test_data_opened_after_the_close_is_another_checks_concern() -> None:
    assert not judged(CHECK, control(900, 50), data(1000, 1900))


def test_only_sessions_seen_to_close_put_it_to_the_test() -> None:
    assert exercised(CHECK, control(900, 200), data(1000, 1010)) == [1]
    assert exercised(CHECK, control(900, 200, history="ShADad"), data(1000, 1010)) == []


def test_session_that_announced_the_connection_is_the_one_that_counts() -> None:
    first = row("10.0.0.5:40000", "66.241.7.3:21", start=900, duration=105)
    other = row("10.0.0.5:40002", "66.241.7.3:21", start=900, duration=900)
    late = row("10.0.0.5:40001", "66.241.7.3:20001", start=1000, duration=200)
    announced = [
        {"flow": 0, "kind": "ftp-greeting", "time": 900.1},
        {"flow": 0, "kind": "ftp-passive", "port": 20001, "flag": 1, "time": 999.5},
    ]
    assert not judged(CHECK, first, other, late)
    found = only(CHECK, first, other, late, events=announced)
    assert (found.row, found.certain) == (2, True)


def test_connection_that_time_alone_ties_to_its_session_is_inferred() -> None:
    closed = row("10.0.0.5:40000", "66.241.7.3:21", start=900, duration=105)
    assert not only(CHECK, closed, row("10.0.0.5:40001", "66.241.7.3:20001", start=1000, duration=200)).certain
