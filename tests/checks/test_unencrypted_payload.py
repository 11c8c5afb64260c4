from typing import Any

import pytest
from flowbuilder import row
from judging import HIGH, OBS, SECURIDATA, exercised, judged, only, undecided

CHECK = "unencrypted-payload"


def backup(payload: tuple[int, int] = (100_000, 500)) -> Any:
    return row("10.0.0.5:49152", "204.164.111.9:16384", payload=payload)


def sample(**columns: Any) -> list[dict[str, Any]]:
    return [{"flow": 0, "bytes_forward": 65536, "entropy_forward": 7.99, **columns}]


def test_readable_data_is_high() -> None:
    found = only(CHECK, backup(), samples=sample(entropy_forward=4.5))
    assert (found.severity, found.statements) == (HIGH, ("encrypted",))


@pytest.mark.parametrize(("bytes_forward", "entropy", "count"), [(8192, 7.19, 1), (8191, 7.19, 0), (8192, 7.2, 0)])
def test_bounds_are_those_that_are_published(bytes_forward: int, entropy: float, count: int) -> None:
    samples = sample(bytes_forward=bytes_forward, entropy_forward=entropy)
    assert len(judged(CHECK, backup(), samples=samples)) == count


def test_tls_records_are_silent() -> None:
    assert not judged(CHECK, backup(), samples=sample(entropy_forward=7.0, is_tls_forward=1))


def test_what_the_server_sends_is_not_judged() -> None:
    assert not judged(CHECK, backup(), samples=sample(bytes_reverse=65536, entropy_reverse=2.0))


def test_client_is_told_by_the_vendors_end() -> None:
    midstream = row("204.164.111.9:16384", "10.0.0.5:49152", history="DdAa", payload=(500, 100_000))
    assert (
        only(CHECK, midstream, samples=[{"flow": 0, "bytes_reverse": 65536, "entropy_reverse": 4.0}]).severity == HIGH
    )


def test_control_session_is_no_data() -> None:
    assert not judged(CHECK, backup((10_000, 500)), samples=sample(bytes_forward=10_000, entropy_forward=4.0))


def test_vendor_who_publishes_no_encryption_is_silent() -> None:
    theirs = row("10.0.0.5:49152", "203.0.113.5:4401", payload=(100_000, 500))
    site = {"packs": {SECURIDATA: {"networks": ["203.0.113.0/28"]}}}
    assert not judged(CHECK, theirs, samples=sample(entropy_forward=4.0), packs=[SECURIDATA], site=site)


def test_port_elsewhere_is_no_vendors_data() -> None:
    other = row("10.0.0.5:49152", "198.51.100.7:16384", payload=(100_000, 500))
    assert not judged(CHECK, other, samples=sample(entropy_forward=4.0))


def test_enough_data_puts_it_to_the_test() -> None:
    assert exercised(CHECK, backup(), samples=sample()) == [0]
    assert exercised(CHECK, backup(), samples=sample(bytes_forward=100, is_tls_forward=1)) == [0]
    assert exercised(CHECK, backup(), samples=sample(bytes_forward=8191)) == []


def test_too_small_a_sample_of_enough_data_decides_nothing() -> None:
    assert undecided(CHECK, backup(), samples=sample(bytes_forward=8191)) == undecided(CHECK, backup()) == [0]
    assert undecided(CHECK, backup(), samples=sample()) == []
    assert undecided(CHECK, backup((8000, 20_000)), packs=[OBS]) == []
