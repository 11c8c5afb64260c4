import pytest
from flowbuilder import row
from judging import LOW, OPEN, SECURIDATA, exercised, judged, only, rows_of, undecided

CHECK = "asymmetric-path"
CLIENT, SERVER = "10.0.0.5:49152", "204.164.111.9:16384"
MONITORED = {"packs": {SECURIDATA: {"features": {"gui-monitoring": {"networks": ["198.51.100.0/24"]}}}}}


@pytest.mark.parametrize("history", ["SA", "SAD", "SADF"])
def test_client_that_goes_on_without_answers_is_found(history: str) -> None:
    found = only(CHECK, row(CLIENT, SERVER, history=history))
    assert (found.severity, found.outcome, found.certain, found.statements) == (LOW, OPEN, True, ())


@pytest.mark.parametrize("history", ["HA", "HAD", "HDF"])
def test_server_that_goes_on_without_questions_is_found(history: str) -> None:
    assert only(CHECK, row(SERVER, CLIENT, history=history)).severity == LOW


@pytest.mark.parametrize("history", ["S", "SR", "Sh", "ShADad", "Dd", "D", "DA", "R"])
def test_attempts_whole_sessions_and_those_begun_before_are_silent(history: str) -> None:
    assert not judged(CHECK, row(CLIENT, SERVER, history=history))


@pytest.mark.parametrize("history", ["H", "HR", "D", "DA", "SA"])
def test_lone_answers_and_the_servers_own_sessions_are_silent(history: str) -> None:
    assert not judged(CHECK, row(SERVER, CLIENT, history=history))


def test_one_sided_capture_shows_no_path() -> None:
    assert not judged(CHECK, row(CLIENT, SERVER, history="SAD"), one_sided=True)
    assert undecided(CHECK, row(CLIENT, SERVER, history="SAD"), one_sided=True) == [0]
    assert undecided(CHECK, row(CLIENT, SERVER, history="SAD")) == []


def test_capture_that_lost_packets_makes_it_inferred() -> None:
    assert not only(CHECK, row(CLIENT, SERVER, history="SAD"), complete=False).certain


def test_monitoring_session_without_answers_needs_a_route() -> None:
    silent = row("198.51.100.7:5000", "10.0.0.5:4403", history="SAD")
    whole = row("198.51.100.7:5001", "10.0.0.5:4403")
    found = only(CHECK, silent, whole, packs=[SECURIDATA], site=MONITORED)
    assert (found.row, found.statements) == (0, ("multi-homed",))
    others = (
        row("198.51.100.7:5002", "10.0.0.5:4403", "udp"),
        row("198.51.100.7:5003", "10.0.0.5:4403", history="S"),
        row("198.51.100.7:5004", "10.0.0.5:4403", history="Sr"),
        row("10.0.0.5:4403", "198.51.100.7:5005", history="HAD"),
        row("10.0.0.5:49152", "198.51.100.8:4401"),
    )
    assert exercised(CHECK, silent, whole, *others, packs=[SECURIDATA], site=MONITORED) == [1]


def test_client_outside_is_of_no_concern() -> None:
    assert not judged(CHECK, row(SERVER, "198.51.100.1:49152", history="HAD"))


def test_sessions_of_no_vendor_are_silent() -> None:
    assert not rows_of(CHECK, row(CLIENT, "198.51.100.7:443", history="SAD"))
