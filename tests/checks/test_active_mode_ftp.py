from typing import Any

import pytest
from flowbuilder import row
from ftp import CLIENT, GREETING, IN_CLEAR, OPAQUE, SERVER, control, data, said
from judging import ATTEMPT, HIGH, OBSERVED, OPEN, exercised, judged, only, undecided

CHECK = "active-mode-ftp"


def port(flag: int) -> Any:
    return ("ftp-active", {"address": CLIENT, "port": 50000, "flag": flag})


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([port(-1), port(1)], OPEN),
        ([port(-1), port(0)], ATTEMPT),
        ([port(-1)], ATTEMPT),
        ([("ftp-unreadable-endpoint", {"number": 0})], ATTEMPT),
    ],
    ids=["accepted", "refused", "unanswered", "unreadable"],
)
def test_asking_for_it_is_high(events: list[Any], outcome: object) -> None:
    found = judged(CHECK, control(), events=said(GREETING, *events))
    assert {one.severity for one in found} == {HIGH}
    assert max(one.outcome or OBSERVED for one in found) == outcome
    assert found[0].statements == ("passive-only",)


@pytest.mark.parametrize("code", [227, 229])
def test_announcement_in_passive_mode_that_cannot_be_read_is_silent(code: int) -> None:
    assert not judged(CHECK, control(), events=said(GREETING, ("ftp-unreadable-endpoint", {"number": code})))


def test_ftp_of_no_vendor_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:40000", "198.51.100.7:21"), events=said(GREETING, port(1)))


def test_passive_and_encrypted_sessions_are_silent() -> None:
    assert not judged(CHECK, control(), events=IN_CLEAR)
    assert not judged(CHECK, control(), events=said(GREETING, OPAQUE))


@pytest.mark.parametrize(("history", "outcome", "certain"), [("ShADadFf", OPEN, True), ("S", ATTEMPT, True)])
def test_connection_from_port_20_is_high(history: str, outcome: object, certain: bool) -> None:
    found = only(CHECK, row(f"{SERVER}:20", f"{CLIENT}:50000", history=history))
    assert (found.severity, found.outcome, found.certain) == (HIGH, outcome, certain)


def test_inside_syn_ack_alone_infers_it() -> None:
    assert not only(CHECK, row(f"{SERVER}:20", f"{CLIENT}:50000", history="^hd")).certain


def test_connection_from_another_port_is_another_checks_concern() -> None:
    assert not judged(CHECK, row(f"{SERVER}:2020", f"{CLIENT}:50000"))


def test_connection_to_port_20_is_the_clients() -> None:
    assert not judged(CHECK, row(f"{CLIENT}:50000", f"{SERVER}:20"))


def test_connection_with_port_20_begun_before_the_capture_decides_nothing() -> None:
    midstream = row(f"{SERVER}:20", f"{CLIENT}:50000", history="DadA")
    assert not judged(CHECK, midstream)
    assert undecided(CHECK, midstream) == [0]


def test_vendor_who_does_not_rule_it_out_is_silent() -> None:
    assert not judged(CHECK, row("204.164.111.9:20", f"{CLIENT}:50000"))


def test_data_that_the_client_opened_puts_it_to_the_test() -> None:
    assert exercised(CHECK, control(), data(), data(history="S")) == [1]
