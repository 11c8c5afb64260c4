from datetime import UTC, datetime
from typing import Any

from flowbuilder import CAPTURE_START_NS, row
from judging import LOW, exercised, judged, only, rows_of, undecided

CHECK = "outside-backup-window"
SERVER = "204.164.111.9:16384"
START = datetime.fromtimestamp(CAPTURE_START_NS // 10**9, UTC)  # 22:13:20 on a Tuesday
NIGHT = {"windows": [{"from": "22:00", "to": "06:00", "timezone": "UTC"}]}
HOUR = 3600.0
DAWN = (24 + 6 - START.hour) * HOUR - START.minute * 60 - START.second  # seconds until 06:00


def session(start: float, history: str = "ShADadFf", **more: Any) -> Any:
    return row("10.0.0.5:49152", SERVER, start=start, history=history, **more)


def test_session_after_the_windows_end_is_found() -> None:
    found = only(CHECK, session(DAWN), site=NIGHT)
    assert (found.severity, found.certain, found.statements) == (LOW, True, ("push",))


def test_session_within_is_silent_however_long_it_lasts() -> None:
    assert not judged(CHECK, session(0.0), session(DAWN - 1, duration=8 * HOUR), site=NIGHT)


def test_any_of_several_windows_will_do() -> None:
    cron = {"cron": "0 9 * * *", "duration": "1h", "timezone": "UTC"}
    flows = session(DAWN + 3.5 * HOUR), session(DAWN + 5 * HOUR)
    assert rows_of(CHECK, *flows, site={"windows": [*NIGHT["windows"], cron]}) == [1]


def test_site_without_windows_is_silent() -> None:
    assert not judged(CHECK, session(DAWN))
    assert exercised(CHECK, session(DAWN)) == []


def test_attempts_and_others_traffic_are_silent() -> None:
    assert not judged(
        CHECK,
        session(DAWN, "S"),
        session(DAWN, "Sr"),
        row("10.0.0.5:49152", "198.51.100.7:443", start=DAWN),
        row("10.0.0.5:49152", "96.231.233.4:443", start=DAWN),
        site=NIGHT,
    )


def test_session_begun_before_the_capture_is_undecided() -> None:
    assert not judged(CHECK, session(DAWN, "Dd"), site=NIGHT)
    assert undecided(CHECK, session(DAWN, "Dd"), site=NIGHT) == [0]


def test_data_connections_begin_with_their_control_session() -> None:
    control = row("10.0.0.5:40000", "66.241.7.3:21", start=DAWN - HOUR, duration=3 * HOUR)
    late = row("10.0.0.5:40001", "66.241.7.3:23456", start=DAWN + HOUR)
    alone = row("10.0.0.5:40001", "66.241.7.3:23456", start=DAWN + 3 * HOUR)
    assert rows_of(CHECK, control, late, alone, site=NIGHT) == [2]
