import pytest
from flowbuilder import row
from judging import ATTEMPT, HIGH, LOW, judged, only, rows_of, undecided

CHECK = "required-access-blocked"
CLIENT = "10.0.0.5:49152"
FIRST, SECOND = "204.164.111.9:16384", "140.239.229.9:16384"


def test_network_that_nothing_answers_in_is_high() -> None:
    found = only(CHECK, row(CLIENT, FIRST, history="S"))
    assert (found.severity, found.outcome, found.certain) == (HIGH, ATTEMPT, True)
    assert "network first" in found.message


def test_each_published_network_is_judged_by_itself() -> None:
    found = judged(CHECK, row(CLIENT, FIRST), row(CLIENT, FIRST, history="S"), row(CLIENT, SECOND, history="S"))
    assert [(one.row, one.severity) for one in found] == [(1, LOW), (2, HIGH)]


def test_each_client_is_judged_by_itself() -> None:
    flows = row("10.0.0.6:49152", FIRST), row(CLIENT, FIRST, history="S"), row("10.0.0.6:49153", FIRST, history="S")
    assert [(one.row, one.severity) for one in judged(CHECK, *flows)] == [(1, HIGH), (2, LOW)]


def test_session_begun_before_the_capture_got_through() -> None:
    flows = row(CLIENT, FIRST, history="S"), row("10.0.0.5:50000", FIRST, history="Dd", start=1.0)
    assert only(CHECK, *flows).severity == LOW


def test_answers_alone_got_through_as_well() -> None:
    flows = row(CLIENT, FIRST, history="S"), row(FIRST, "10.0.0.5:50000", history="HAD")
    assert only(CHECK, *flows).severity == LOW


@pytest.mark.parametrize("history", ["Sr", "Sh", "SA", "SAD", "ShADadFf", "Dd", "R", "Sa"])
def test_refused_and_answered_ones_are_silent(history: str) -> None:
    assert not judged(CHECK, row(CLIENT, FIRST, history=history))


def test_client_that_gave_up_was_blocked_all_the_same() -> None:
    assert only(CHECK, row(CLIENT, FIRST, history="SR")).severity == HIGH


def test_refused_attempt_does_not_count_as_getting_through() -> None:
    assert only(CHECK, row(CLIENT, FIRST, history="Sr"), row(CLIENT, FIRST, history="S")).severity == HIGH


def test_servers_own_icmp_error_is_a_refusal() -> None:
    error = row("204.164.111.9:3", "10.0.0.5:3", "icmp", packets=(1, 0), flow_id=9)
    quote = {"flow_id": 9, "protocol": "tcp", "source": CLIENT, "destination": FIRST}
    assert not judged(CHECK, row(CLIENT, FIRST, history="S"), error, quotes=[quote])
    assert rows_of(CHECK, row("10.0.0.5:49153", FIRST, history="S"), error, quotes=[quote]) == [0]


def test_routers_icmp_error_tells_who_blocks() -> None:
    error = row("204.164.111.1:3", "10.0.0.5:13", "icmp", packets=(1, 0), flow_id=9)
    quote = {"flow_id": 9, "protocol": "tcp", "source": CLIENT, "destination": FIRST}
    assert rows_of(CHECK, row(CLIENT, FIRST, history="S"), error, quotes=[quote]) == [0]


def test_one_sided_capture_proves_nothing() -> None:
    assert not judged(CHECK, row(CLIENT, FIRST, history="S"), one_sided=True)
    assert undecided(CHECK, row(CLIENT, FIRST, history="S"), one_sided=True) == [0]


def test_capture_that_lost_packets_makes_it_inferred() -> None:
    assert not only(CHECK, row(CLIENT, FIRST, history="S"), complete=False).certain


def test_attempt_at_the_captures_very_end_is_undecided() -> None:
    attempt = row(CLIENT, FIRST, history="S", start=1999.5, duration=0)
    assert not judged(CHECK, attempt)
    assert undecided(CHECK, attempt, row(CLIENT, FIRST, start=1999.5), row(CLIENT, SECOND, history="S")) == [0]
    assert rows_of(CHECK, row(CLIENT, FIRST, history="S", start=1999.0, duration=0)) == [0]
    assert rows_of(CHECK, attempt, site={"thresholds": {"answer_wait": 0}}) == [0]


def test_attempt_that_was_made_again_had_its_time() -> None:
    assert rows_of(CHECK, row(CLIENT, FIRST, history="S", start=1999.5, packets=(2, 0))) == [0]
    assert not judged(CHECK, row(CLIENT, FIRST, history="SR", start=1999.5, packets=(2, 0)))


def test_port_scan_is_not_the_backup() -> None:
    assert not judged(CHECK, row(CLIENT, FIRST, history="S"), port_scans=[("10.0.0.5", "204.164.111.9")])


@pytest.mark.parametrize(
    "flow",
    [
        row(CLIENT, "204.164.111.9:443", history="S"),
        row(CLIENT, "198.51.100.7:16384", history="S"),
        row(CLIENT, "198.51.100.7:4401", history="S"),
        row("204.164.111.9:4000", "10.0.0.5:22", history="S"),
        row(CLIENT, FIRST, "udp", history="D"),
        row("198.51.100.1:5000", FIRST, history="S"),
    ],
)
def test_what_no_vendor_requires_is_silent(flow: object) -> None:
    assert not judged(CHECK, flow)


def test_site_given_network_is_required_too() -> None:
    site = {"packs": {"securidata": {"networks": ["203.0.113.0/28"]}}}
    assert only(CHECK, row(CLIENT, "203.0.113.5:4401", history="S"), packs=["securidata"], site=site).severity == HIGH
