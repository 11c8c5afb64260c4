import json
from typing import Any

import pytest
from flowbuilder import number
from hypothesis import given
from hypothesis import strategies as st

from auditor.flow import TCP, UDP
from auditor.processes.connection import Connection
from auditor.processes.sysmon import from_csv, from_json, is_csv, is_json

FIELDS = {
    "UtcTime": "2026-03-02 21:00:01.250",
    "Image": "C:\\Windows\\System32\\curl.exe",
    "Protocol": "tcp",
    "SourceIp": "10.0.0.5",
    "SourcePort": "40000",
    "DestinationIp": "66.241.7.9",
    "DestinationPort": 21,
}
TIME_NS = 1_772_485_201_250_000_000
CURL = Connection(TCP, number("10.0.0.5"), 40000, number("66.241.7.9"), 21, TIME_NS, "curl.exe")


def event(**fields: Any) -> dict[str, Any]:
    return {**FIELDS, **fields}


XML_LIKE = [{"@Name": name, "#text": value} for name, value in FIELDS.items()]
WRAPPED = [
    event(),
    event(EventID=3),
    {"EventID": 3, "EventData": event()},
    {"winlog": {"event_id": "3", "event_data": event()}},
    {"Event": {"System": {"EventID": {"#text": "3"}}, "EventData": event()}},
    {"Event": {"System": {"EventID": 3}, "EventData": {"Data": XML_LIKE}}},
    {"hits": {"hits": [{"_source": {"winlog": {"event_id": 3, "event_data": event()}}}]}},
]


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("indent", [None, 2])
def test_event_is_found_however_it_is_wrapped(wrapped: Any, indent: int | None) -> None:
    text = json.dumps(wrapped, indent=indent)
    assert is_json(text)
    assert list(from_json(text)) == [CURL]


def test_lists_and_lines_of_events_are_read() -> None:
    assert len(list(from_json(json.dumps([event(), event()])))) == 2
    assert len(list(from_json(f"{json.dumps(event())}\n{json.dumps(event())}\r\n\n"))) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"EventID": 1, "EventData": {"Image": "a", "UtcTime": "x"}},
        {"EventID": 22, "EventData": event()},
        event(EventID=22),
        event(Image="<unknown process>"),
        event(Image=""),
        {},
        [],
        "text",
    ],
)
def test_other_events_and_unknown_processes_are_left_out(other: Any) -> None:
    assert list(from_json(json.dumps([other]))) == []


def test_udp_and_ipv6_are_read() -> None:
    (found,) = from_json(json.dumps(event(Protocol="UDP", SourceIp="fe80:0:0:0:0:0:0:5%4")))
    assert (found.protocol, found.local) == (UDP, number("fe80::5"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1}\n{"b": ', "line 2: is no JSON"),
        ('{"a": 1}\n' + json.dumps(event(SourceIp="here")), "line 2: 'here'"),
        (json.dumps(event(Protocol="icmp")), "line 1: protocol 'icmp'; expected tcp or udp"),
        (json.dumps(event(DestinationPort="x")), "'x' is no port number"),
        (json.dumps(event(UtcTime="yesterday")), "yesterday"),
        ("[" * 100_000, "line 1: "),
    ],
)
def test_what_is_wrong_with_an_event_is_told_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(from_json(text))


def test_csv_is_read_by_its_column_names() -> None:
    text = 'EventID,Source Ip,SourcePort,DestinationIp,DestinationPort,Protocol,"Image",UtcTime,User\r\n'
    text += '3,10.0.0.5,40000,66.241.7.9,21,tcp,"C:\\a, b\\curl.exe",2026-03-02 21:00:01.250,x\r\n\r\n'
    text += "22,,,,,,,,\r\n"
    assert is_csv(text)
    assert list(from_csv(text)) == [CURL]


def test_csv_without_a_column_names_it() -> None:
    with pytest.raises(ValueError, match="columns utctime, image are missing"):
        list(from_csv("SourceIp,SourcePort,DestinationIp,DestinationPort,Protocol\n"))


def test_csv_row_that_is_no_event_is_named() -> None:
    header = ",".join(FIELDS) + "\n"
    with pytest.raises(ValueError, match="line 3: "):
        list(from_csv(header + ",".join(str(one) for one in FIELDS.values()) + "\nnow,curl,tcp,10.0.0.5\n"))


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from([*FIELDS, "EventID", "Name", "#text", "Data"]), inner), max_leaves=12))  # fmt: skip
def test_any_json_gives_connections_or_a_reason(value: Any) -> None:
    text = json.dumps([value])
    try:
        found = list(from_json(text))
    except ValueError as problem:
        found, reason = [], str(problem)
    else:
        reason = "line 1: "
    assert reason.startswith("line 1: ")
    assert all(isinstance(one, Connection) for one in found)
