import pytest
from flowbuilder import row
from judging import INFO, judged, only

CHECK = "restore-observed"
CLIENT, SERVER, NODE = "10.0.0.5:49152", "204.164.111.9:16384", "66.241.7.9:23456"


@pytest.mark.parametrize("server", [SERVER, NODE])
def test_data_that_pulls_is_told(server: str) -> None:
    found = only(CHECK, row(CLIENT, server, payload=(500, 100_000)))
    assert (found.severity, found.certain, found.statements) == (INFO, True, ("push",))


def test_client_and_server_are_told_apart_in_sessions_begun_before_the_capture() -> None:
    assert only(CHECK, row(SERVER, CLIENT, history="Da", payload=(100_000, 0))).severity == INFO
    assert not judged(CHECK, row(SERVER, CLIENT, history="aD", payload=(0, 100_000)))


@pytest.mark.parametrize("payload", [(100_000, 500), (100_000, 99_999), (100_000, 100_000), (0, 16_383)])
def test_backups_and_short_answers_are_silent(payload: tuple[int, int]) -> None:
    assert not judged(CHECK, row(CLIENT, SERVER, payload=payload), row(CLIENT, NODE, payload=payload))


def test_control_session_and_support_are_no_restore() -> None:
    flows = row(CLIENT, "66.241.7.9:21", payload=(500, 100_000)), row(CLIENT, "96.231.233.4:443", payload=(5, 10**6))
    assert not judged(CHECK, *flows)


def test_site_can_change_what_a_short_answer_is() -> None:
    flow = row(CLIENT, NODE, payload=(0, 5000))
    assert not judged(CHECK, flow)
    assert only(CHECK, flow, site={"thresholds": {"restore_bytes": 5000}}).severity == INFO
