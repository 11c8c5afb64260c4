from typing import Any

import pytest
from flowbuilder import context_for, row
from ftp import GREETING, OPAQUE, control, said
from judging import CHECKS, INFO, OBSERVED, judged, only

from auditor.checks.base import CaptureHits

CHECK = "capture-incomplete"


def capture(**more: Any) -> dict[str, Any]:
    """A sound capture, but for what is said otherwise."""
    sound = {"path": "a.pcap", "packets": 10, "first_ns": 0, "last_ns": 1, "drops": 0, "error": None, "complete": True}
    return {**sound, "problems": [], **more}


def problem(**more: Any) -> dict[str, Any]:
    return {"name": "x", "count": 1, "frame": 0, "offset": 0, "message": "it is odd", "hides_traffic": True, **more}


def found(*captures: dict[str, Any], **health: Any) -> list[CaptureHits]:
    return list(CHECKS[CHECK].find_in_captures(context_for(captures=captures, **health)))


def test_sound_capture_is_silent() -> None:
    assert not found(capture())


def test_dropped_packets_are_told_with_their_number() -> None:
    (hit,) = found(capture(), capture(path="b.pcap", drops=412))
    assert (hit.capture, hit.count, hit.severity) == (1, 412, INFO)
    assert "b.pcap" in hit.message


def test_dropped_packets_are_told_once() -> None:
    told_again = problem(name="packets-dropped", message="interface 0 says that the capture lost 412 packets")
    (hit,) = found(capture(drops=412, problems=[told_again], complete=False))
    assert hit.count == 412


def test_damage_is_told_with_its_frame() -> None:
    damage = problem(message="frame 7 is cut", frame=7, count=3)
    (hit,) = found(capture(problems=[damage], complete=False))
    assert (hit.frame, hit.count, hit.message) == (7, 3, "a.pcap: frame 7 is cut")


def test_problem_that_hides_nothing_is_silent() -> None:
    assert not found(capture(problems=[problem(name="duplicates", hides_traffic=False)]))


@pytest.mark.parametrize("broken", [{"complete": False}, {"packets": 0}, {"error": "it is no capture", "packets": 0}])
def test_cut_empty_and_unreadable_ones_are_told_once(broken: dict[str, Any]) -> None:
    assert len(found(capture(**broken))) == 1


def test_one_direction_alone_is_told_once_for_all_captures() -> None:
    (hit,) = found(capture(packets=0, complete=True, path="empty"), capture(), capture(), one_sided=True)[1:]
    assert hit.capture == 1


def test_gap_in_a_vendors_session_is_told() -> None:
    hit = only(CHECK, row("10.0.0.5:49152", "204.164.111.9:16384", history="ShADadG", missed_bytes=1460))
    assert (hit.severity, hit.outcome) == (INFO, OBSERVED)


def test_session_without_gap_and_gaps_of_others_are_silent() -> None:
    flows = row("10.0.0.5:49152", "204.164.111.9:16384"), row("10.0.0.5:49152", "198.51.100.7:443", missed_bytes=1460)
    assert not judged(CHECK, *flows)


def test_session_begun_before_the_capture_alone_is_silent() -> None:
    assert not judged(CHECK, row("10.0.0.5:49152", "204.164.111.9:16384", history="Dd", start=0.0))


SNAPPED = [{"snapped": 100}]
BACKUP = row("10.0.0.5:49152", "204.164.111.9:16384", payload=(100_000, 500))


def test_snap_length_that_leaves_too_little_to_sample_is_told() -> None:
    sample = [{"flow": 0, "bytes_forward": 2000, "entropy_forward": 7.9}]
    hit = only(CHECK, BACKUP, samples=sample, captures=SNAPPED)
    assert (hit.severity, hit.outcome) == (INFO, OBSERVED)
    assert "8 KiB" in hit.message


@pytest.mark.parametrize(
    "sample",
    [{"bytes_forward": 8192, "entropy_forward": 7.9}, {"bytes_forward": 42, "is_tls_forward": 1}],
    ids=["enough", "TLS"],
)
def test_snap_length_that_leaves_enough_is_silent(sample: dict[str, Any]) -> None:
    assert not judged(CHECK, BACKUP, samples=[{"flow": 0, **sample}], captures=SNAPPED)


def test_small_session_needs_no_sample() -> None:
    assert not judged(CHECK, row("10.0.0.5:49152", "204.164.111.9:16384", payload=(8000, 20_000)), captures=SNAPPED)


def test_sample_that_is_small_for_another_reason_is_silent() -> None:
    assert not judged(CHECK, BACKUP, samples=[{"flow": 0, "bytes_forward": 2000, "entropy_forward": 7.9}])


def test_control_session_that_a_snap_length_cut_is_told() -> None:
    hit = only(CHECK, control(), events=said(GREETING, ("lost", {"text": "ftp"})), captures=SNAPPED)
    assert "control session" in hit.message


def test_control_session_that_is_encrypted_all_the_same_is_silent() -> None:
    events = said(GREETING, ("lost", {"text": "ftp"}), OPAQUE)
    assert not judged(CHECK, control(), events=events, captures=SNAPPED)
    assert not judged(CHECK, control(), events=said(GREETING, OPAQUE), captures=SNAPPED)


@pytest.mark.parametrize("protocol", ["socks", "http"])
def test_request_to_a_proxy_that_lacks_bytes_is_told_once(protocol: str) -> None:
    lost = [{"flow": 0, "kind": "lost", "text": protocol, "time": 1000 + second} for second in (1, 2)]
    hit = only(CHECK, row("10.0.0.5:40000", "10.0.0.9:1080"), events=lost)
    assert (hit.severity, hit.outcome) == (INFO, OBSERVED)


@pytest.mark.parametrize(("transport", "count"), [("udp", 1), ("tcp", 0)])
def test_datagram_about_a_vendors_name_that_was_cut_is_told(transport: str, count: int) -> None:
    lost = [{"flow": 0, "kind": "lost", "text": "dns", "time": 1001}]
    assert len(judged(CHECK, row("10.0.0.5:40000", "10.0.0.53:53", transport), events=lost)) == count


@pytest.mark.parametrize("protocol", ["ftp", "tls"])
def test_foreign_conversation_that_lacks_bytes_is_silent(protocol: str) -> None:
    lost = [{"flow": 0, "kind": "lost", "text": protocol, "time": 1001}]
    assert not judged(CHECK, row("10.0.0.5:40000", "198.51.100.7:21"), events=lost)
