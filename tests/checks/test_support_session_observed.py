import pytest
from flowbuilder import row
from judging import ATTEMPT, INFO, OPEN, judged, only

CHECK = "support-session-observed"
CLIENT = "10.0.0.5:49152"


@pytest.mark.parametrize("port", [8008, 443])
def test_support_session_is_told(port: int) -> None:
    found = only(CHECK, row(CLIENT, f"96.231.233.4:{port}"))
    assert (found.severity, found.outcome, found.statements) == (INFO, OPEN, ("support-tool",))


def test_attempt_is_told_as_such() -> None:
    assert only(CHECK, row(CLIENT, "96.231.233.4:443", history="S")).outcome == ATTEMPT


@pytest.mark.parametrize("server", ["96.231.233.4:80", "96.231.233.5:443", "66.241.7.9:21", "204.164.111.9:16384"])
def test_other_sessions_are_silent(server: str) -> None:
    assert not judged(CHECK, row(CLIENT, server))


def test_support_server_that_calls_is_another_checks_concern() -> None:
    assert not judged(CHECK, row("96.231.233.4:443", CLIENT, history="ShADad"))
