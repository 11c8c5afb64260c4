from pathlib import Path

import pytest
from flowbuilder import row
from judging import MEDIUM, exercised, judged, only, rows_of, undecided

CHECK = "data-without-control"
CLIENT = "10.0.0.5"


def control(
    start: float, duration: float, *, client: str = CLIENT, history: str = "ShADadFf", port: int = 21
) -> object:
    return row(f"{client}:40000", f"66.241.7.3:{port}", start=start, duration=duration, history=history)


def data(start: float, *, client: str = CLIENT, history: str = "ShADaFf") -> object:
    return row(f"{client}:40001", "66.241.7.9:23456", start=start, history=history)


def test_data_connection_alone_is_found() -> None:
    found = only(CHECK, data(1000))
    assert (found.severity, found.certain, found.statements) == (MEDIUM, True, ("data-ports",))


@pytest.mark.parametrize("port", [21, 211])
def test_open_control_session_explains_it(port: int) -> None:
    assert not judged(CHECK, control(900, 200, port=port), data(1000))


def test_control_session_that_closed_before_explains_nothing() -> None:
    assert rows_of(CHECK, control(900, 50), data(1000)) == [1]
    assert rows_of(CHECK, control(900, 50, history="ShADadR"), data(1000)) == [1]


def test_control_session_that_was_not_seen_to_close_is_open() -> None:
    for history in ("ShADad", "ShADadF", "ShADadf"):
        assert not judged(CHECK, control(900, 50, history=history), data(1000))


def test_control_session_opened_later_explains_nothing() -> None:
    assert rows_of(CHECK, data(1000), control(1010, 100)) == [0]


def test_two_interfaces_may_disagree_about_the_order() -> None:
    assert not judged(CHECK, data(1000), control(1000.5, 100))
    assert not judged(CHECK, control(900, 99.5), data(1000))


def test_control_session_of_another_client_explains_nothing() -> None:
    assert rows_of(CHECK, control(900, 200, client="10.0.0.6"), data(1000)) == [1]


def test_one_of_many_control_sessions_is_enough() -> None:
    flows = [control(start, 40) for start in range(400, 1400, 100)]
    assert not judged(CHECK, *flows, control(500, 700), data(1050), data(1199))
    assert rows_of(CHECK, *flows, control(500, 700), data(1290), data(1320)) == [11]


def test_every_client_is_judged_by_its_own_sessions() -> None:
    flows = [
        control(900, 200, client="10.0.0.1"),
        data(1000, client="10.0.0.1"),
        control(900, 50, client="10.0.0.2"),
        data(1000, client="10.0.0.2"),
        control(1050, 50, client="10.0.0.3"),
        data(1000, client="10.0.0.3"),
        data(1000, client="10.0.0.4"),
    ]
    assert rows_of(CHECK, *flows) == [3, 5, 6]


@pytest.mark.parametrize("history", ["S", "Sr"])
def test_control_attempt_is_no_session(history: str) -> None:
    assert rows_of(CHECK, control(900, 200, history=history), data(1000)) == [1]


def test_control_session_begun_before_the_capture_was_open_all_along() -> None:
    assert not judged(CHECK, control(1005, 100, history="Dd"), data(1000))
    assert not judged(CHECK, control(1005, 100, history="DdFf"), data(1000))


def test_control_session_of_which_only_answers_were_captured_counts() -> None:
    answers = row("66.241.7.3:21", f"{CLIENT}:40000", history="HAD", start=900, duration=200)
    assert not judged(CHECK, answers, data(1000))


@pytest.mark.parametrize("history", ["S", "Sr"])
def test_data_attempt_is_no_connection(history: str) -> None:
    assert not judged(CHECK, data(1000, history=history))


def test_control_may_predate_the_capture() -> None:
    assert not judged(CHECK, data(299), data(1000, history="Dd"))
    assert undecided(CHECK, data(299), data(1000, history="Dd"), data(301)) == [0, 1]
    assert not judged(CHECK, data(350), site={"thresholds": {"midstream_grace": 400}})


def test_data_that_the_server_opens_is_another_checks_concern() -> None:
    assert not judged(CHECK, row("66.241.7.9:20", f"{CLIENT}:50000"))


def test_data_of_which_only_answers_were_captured_is_silent() -> None:
    assert not judged(CHECK, row("66.241.7.9:23456", f"{CLIENT}:40001", history="HAD"))


SECOND_PACK = """
id: shuttle
title: Shuttle
version: "1"
source: {document: Shuttle and firewalls}
networks: {all: [198.51.100.0/24]}
services:
  - {id: control, role: control, ports: [21], statement: ports}
  - {id: data, role: data, ports: [20000-30000], negotiated_by: control, statement: ports}
statements:
  - {id: ports, what: Control is TCP 21; data is negotiated., section: Ports, checked_by: [port-not-published]}
"""


def test_control_session_with_another_vendor_explains_nothing(tmp_path: Path) -> None:
    pack = tmp_path / "shuttle.yaml"
    pack.write_text(SECOND_PACK)
    theirs = row(f"{CLIENT}:40000", "198.51.100.3:21", start=900, duration=200)
    their_data = row(f"{CLIENT}:40002", "198.51.100.4:20001", start=1000)
    flows = [data(1000), theirs, their_data, control(2000, 1)]
    assert rows_of(CHECK, *flows, packs=["drbackup", str(pack)]) == [0]


def test_packs_that_negotiate_nothing_are_silent() -> None:
    assert not judged(CHECK, row(f"{CLIENT}:49152", "204.164.111.9:16384", payload=(10**6, 100)))


def test_ftp_of_others_is_of_no_concern() -> None:
    assert not judged(CHECK, row(f"{CLIENT}:40001", "198.51.100.7:23456"))


def test_data_with_captured_start_puts_it_to_the_test() -> None:
    assert exercised(CHECK, control(900, 200), data(1000), data(1001, history="Dd")) == [1]
