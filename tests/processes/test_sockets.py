import pytest
from flowbuilder import number

from auditor.flow import TCP, UDP
from auditor.processes.connection import Connection
from auditor.processes.sockets import connections, is_sockets

HEADER = "State  Recv-Q Send-Q  Local Address:Port   Peer Address:Port Process\n"
CURL = 'users:(("curl",pid=811,fd=5))'
HERE, THERE = number("10.0.0.5"), number("66.241.7.9")


def line(local: str = "10.0.0.5:40000", remote: str = "66.241.7.9:21", holders: str = CURL) -> str:
    return f"ESTAB  0  0  {local}  {remote}  {holders}\n"


def test_socket_is_read_with_its_ends_and_holder() -> None:
    text = HEADER + line() + "\t cubic wscale:7,7 rto:204 bytes_acked:512\n"
    assert is_sockets(text)
    assert list(connections(text)) == [Connection(TCP, HERE, 40000, THERE, 21, None, "curl")]


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("[2001:db8::5]:40000", "2001:db8::5"),
        ("[fe80::5]%eth0:40000", "fe80::5"),
        ("[::ffff:10.0.0.5]:40000", "10.0.0.5"),
        ("10.0.0.5%eth0:40000", "10.0.0.5"),
    ],
)
def test_addresses_of_every_kind_are_read(local: str, expected: str) -> None:
    (found,) = connections(line(local))
    assert (found.local, found.local_port) == (number(expected), 40000)


def test_several_holders_are_joined_each_once() -> None:
    holders = 'users:(("sshd",pid=1,fd=4),("sshd",pid=2,fd=4),("rb client",pid=3,fd=4))'
    assert [one.program for one in connections(line(holders=holders))] == ["sshd|rb client"]


def test_sockets_of_nobody_and_listening_ones_are_left_out() -> None:
    text = (
        line(holders="")
        + line(remote="0.0.0.0:*")
        + line(remote="*:*")
        + 'LISTEN 0 128 *:22 *:* users:(("a",pid=1,fd=3))\n'
    )
    assert list(connections(text)) == []


def test_times_between_snapshots_are_those_of_the_sockets_after_them() -> None:
    text = line() + "2026-03-02T22:00:02,5+01:00\n" + HEADER + line() + "2026-03-02 21:00:03Z\n" + line()
    start = 1_772_485_200 * 10**9
    assert [one.time_ns for one in connections(text)] == [None, start + 2_500_000_000, start + 3 * 10**9]


def test_column_of_protocols_is_read() -> None:
    text = "Netid " + HEADER + "udp " + line() + "tcp " + line()
    assert [one.protocol for one in connections(text)] == [UDP, TCP]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line(remote="66.241.7.9:ftp"), "line 1: 'ftp' is no port number"),
        (line(remote="66.241.7.9:65536"), "'65536' is no port number"),
        (HEADER + line(local="example:1"), "line 2: 'example'"),
        ("ESTAB 0 0\n", "addresses are missing"),
        ("2026-03-02T22:00:02\n", "addresses are missing"),
    ],
)
def test_line_that_is_no_socket_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(connections(text))
