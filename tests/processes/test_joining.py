from typing import Any

from flowbuilder import CAPTURE_START_NS, Row, number, raw, row

from auditor.flow import TCP, UDP
from auditor.processes.connection import Connection
from auditor.processes.joining import CLOCK_TOLERANCE_NS, with_processes

TOLERANCE = CLOCK_TOLERANCE_NS // 10**9
START, END = 1000.0, 1010.0
NAMES = ("", "known")


def record(program: str, time: float | None, port: int = 40000, protocol: int = TCP, **ends: str) -> Connection:
    local, remote = number(ends.get("local", "10.0.0.5")), number(ends.get("remote", "66.241.7.9"))
    time_ns = None if time is None else CAPTURE_START_NS + round(time * 1e9)
    return Connection(protocol, local, port, remote, 21, time_ns, program)


def flow(start: float = START, end: float = END, port: int = 40000, **columns: Any) -> Row:
    return row(f"10.0.0.5:{port}", "66.241.7.9:21", start=start, duration=end - start, **columns)


def programs(rows: list[Row], *connections: Connection) -> list[str]:
    flows, names = with_processes(raw(*rows), NAMES, connections)
    return [names[code] for code in flows.process.tolist()]


def test_record_within_a_flow_or_near_it_names_it() -> None:
    for time in (START, END, START - TOLERANCE, END + TOLERANCE):
        assert programs([flow()], record("curl", time)) == ["curl"]
    for time in (START - TOLERANCE - 1, END + TOLERANCE + 1):
        assert programs([flow()], record("curl", time)) == [""]


def test_record_of_another_tuple_names_nothing() -> None:
    others = [
        record("a", START, port=40001),
        record("a", START, protocol=UDP),
        record("a", START, local="10.0.0.6"),
        record("a", START, remote="66.241.7.8"),
        record("a", START, remote="2001:db8::9"),
    ]
    assert programs([flow()], *others) == [""]


def test_each_flow_gets_its_own_record() -> None:
    rows = [flow(port=40000 + number) for number in range(20)]
    records = [record(f"p{number}", START + 1, port=40000 + number) for number in reversed(range(20))]
    assert programs(rows, *records) == [f"p{number}" for number in range(20)]


def test_nearest_record_names_a_flow_on_ports_that_were_used_again() -> None:
    rows = [flow(), flow(END + 20, END + 30)]
    assert programs(rows, record("late", END + 20.5), record("soon", START + 0.5)) == ["soon", "late"]
    assert programs(rows, record("soon", START - 1), record("late", END + 19)) == ["soon", "late"]


def test_responder_is_the_local_end_too() -> None:
    assert programs([row("66.241.7.9:21", "10.0.0.5:40000", start=START)], record("curl", START)) == ["curl"]


def test_what_the_capture_names_itself_stays() -> None:
    assert programs([flow(process=1)], record("curl", START)) == ["known"]


def test_known_names_keep_their_codes() -> None:
    _, names = with_processes(raw(flow()), NAMES, [record("curl", START), record("known", START)])
    assert names == ("", "known", "curl")


def test_record_without_a_time_names_the_only_flow_of_its_tuple() -> None:
    assert programs([flow(), flow(port=1)], record("curl", None), record("curl", None)) == ["curl", ""]
    assert programs([flow(), flow(END + 100, END + 110)], record("curl", None)) == ["", ""]
    assert programs([flow()], record("curl", None), record("wget", None)) == [""]


def test_record_with_a_time_goes_before_one_without() -> None:
    assert programs([flow()], record("wget", None), record("curl", START)) == ["curl"]


def test_no_flows_and_no_records_are_nothing() -> None:
    assert programs([]) == []
    assert programs([flow()]) == [""]
    assert programs([], record("curl", START), record("wget", None)) == []
