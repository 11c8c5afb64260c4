#!/usr/bin/env python3
"""Whether judging takes time in proportion to what it judges: floods of n, and of 2n, each of its own kind.

    python benchmarks/floods.py                     # all of them, 50,000 and 100,000 of each
    python benchmarks/floods.py 20000 ftp dns       # 20,000 and 40,000 of these
    python benchmarks/floods.py --write ftp 60000 > ftp.pcap

A line for each: seconds of CPU of the audit of n and of 2n, and of a watch that judges all of it in one tick. What is
quadratic takes four times as long for twice as much: the exit code is 1 where one takes more than WORST times as long.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from auditor.site import Site

COUNT = 50_000
WORST = 3.0
LEAST = 0.5  # seconds below which a ratio says nothing
START = 1_772_000_000

SYN, ACK, PUSH, FIN, SYN_ACK, RST = 0x02, 0x10, 0x18, 0x11, 0x12, 0x04
CLUSTER = 66 << 24 | 241 << 16 | 7 << 8  # 66.241.7.0, networks of the pack drbackup: .1 to .30
VOLUME = 204 << 24 | 164 << 16 | 111 << 8  # 204.164.111.0/26, of online-backup-service and others
CLIENTS = 10 << 24 | 1 << 16
PROXY = 10 << 24 | 9
RESOLVER = 10 << 24 | 53
ROUTER = 192 << 24 | 2 << 8 | 1
ELSEWHERE = 198 << 24 | 51 << 16 | 100 << 8
NAME = b"\x03rbs\x08drbackup\x03net\x00"

Frames = Iterator[bytes]


def ip(source: int, destination: int, protocol: int, payload: bytes) -> bytes:
    """An Ethernet frame. Checksums are left to a card that does not exist."""
    header = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, source, destination)
    return b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00" + header + payload


def udp(source: int, source_port: int, destination: int, port: int, payload: bytes) -> bytes:
    return ip(source, destination, 17, struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload)


class Connection:
    """The packets of one TCP connection, each made when it is asked for."""

    def __init__(self, client: int, client_port: int, server: int, port: int) -> None:
        self.ends = (client, client_port), (server, port)
        self.next = [1000, 5000]

    def packet(self, flags: int, payload: bytes = b"", *, back: bool = False) -> bytes:
        (source, source_port), (destination, port) = self.ends[::-1] if back else self.ends
        mine, theirs = self.next[back], self.next[not back]
        self.next[back] += len(payload) + bool(flags & (SYN | 0x01))
        acknowledged = theirs if flags & ACK else 0
        header = struct.pack(">HHIIBBHHH", source_port, port, mine, acknowledged, 0x50, flags, 8192, 0, 0)
        return ip(source, destination, 6, header + payload)

    def open(self) -> Frames:
        yield self.packet(SYN)
        yield self.packet(SYN_ACK, back=True)
        yield self.packet(ACK)

    def close(self) -> Frames:
        yield self.packet(FIN)
        yield self.packet(FIN, back=True)
        yield self.packet(ACK)

    def say(self, *lines: tuple[bool, bytes]) -> Frames:
        for back, line in lines:
            yield self.packet(PUSH, line, back=back)


def endpoint(server: int, port: int) -> bytes:
    """What a 227 says."""
    return b"227 =%d,%d,%d,%d,%d,%d\r\n" % (*server.to_bytes(4, "big"), port >> 8, port & 255)


def ftp(count: int) -> Frames:
    """Clients with an FTP session each: a control session that announces a data connection, and that."""
    for number in range(count):
        client, server, port = CLIENTS + number, CLUSTER + 1 + number % 30, 20_000 + number % 40_000
        control, data = Connection(client, 40_000, server, 21), Connection(client, 40_001, server, port)
        yield from control.open()
        yield from control.say((True, b"220 ready\r\n"), (False, b"PASV\r\n"), (True, endpoint(server, port)))
        yield from data.open()
        yield from control.say((False, b"STOR x\r\n"), (True, b"150 go on\r\n"))
        yield data.packet(PUSH, bytes(200))
        yield from data.close()
        yield from control.say((True, b"226 done\r\n"), (False, b"QUIT\r\n"), (True, b"221 bye\r\n"))
        yield from control.close()


def ftp_control(count: int) -> Frames:
    """Clients with an FTP control session each that announces nothing."""
    for number in range(count):
        control = Connection(CLIENTS + number, 40_000, CLUSTER + 1 + number % 30, 21)
        yield from control.open()
        yield from control.say((True, b"220 ready\r\n"), (False, b"USER a\r\n"), (True, b"331 and\r\n"))
        yield from control.say((False, b"PASS b\r\n"), (True, b"230 in\r\n"))
        yield from control.close()


def ftp_unannounced(count: int) -> Frames:
    """Clients with a control session and a data connection that it never announced, each."""
    for number in range(count):
        client, server = CLIENTS + number, CLUSTER + 1 + number % 30
        control = Connection(client, 40_000, server, 21)
        data = Connection(client, 40_001, server, 20_000 + number % 40_000)
        yield from control.open()
        yield from control.say((True, b"220 ready\r\n"))
        yield from data.open()
        yield data.packet(PUSH, bytes(200))
        yield from data.close()
        yield from control.close()


def ftp_one_client(count: int) -> Frames:
    """One client with an FTP session after the other, all from ports of its own."""
    for number in range(count):
        server, port = CLUSTER + 1 + number % 30, 20_000 + number % 40_000
        control = Connection(CLIENTS, 1024 + number % 30_000, server, 21)
        data = Connection(CLIENTS, 32_000 + number % 30_000, server, port)
        yield from control.open()
        yield from control.say((True, b"220 ready\r\n"), (False, b"PASV\r\n"), (True, endpoint(server, port)))
        yield from data.open()
        yield data.packet(PUSH, bytes(200))
        yield from data.close()
        yield from control.close()


def ftp_one_session(count: int) -> Frames:
    """One control session that announces all data connections."""
    control = Connection(CLIENTS, 1024, CLUSTER + 1, 21)
    yield from control.open()
    yield from control.say((True, b"220 ready\r\n"))
    for number in range(count):
        port = 20_000 + number % 40_000
        data = Connection(CLIENTS, 1025 + number % 60_000, CLUSTER + 1, port)
        yield from control.say((False, b"PASV\r\n"), (True, endpoint(CLUSTER + 1, port)), (False, b"STOR x\r\n"))
        yield from data.open()
        yield data.packet(PUSH, bytes(200))
        yield from data.close()
        yield from control.say((True, b"226 done\r\n"))
    yield from control.close()


def ftp_active(count: int) -> Frames:
    """Clients that ask for active mode, and servers that come from port 20."""
    for number in range(count):
        client, server = CLIENTS + number, CLUSTER + 1 + number % 30
        control, data = Connection(client, 40_000, server, 21), Connection(server, 20, client, 40_001)
        yield from control.open()
        where = b"PORT %d,%d,%d,%d,%d,%d\r\n" % (*client.to_bytes(4, "big"), 40_001 >> 8, 40_001 & 255)
        yield from control.say((True, b"220 ready\r\n"), (False, where), (True, b"200 yes\r\n"))
        yield from data.open()
        yield data.packet(PUSH, bytes(200))
        yield from data.close()
        yield from control.close()


def session(connection: Connection) -> Frames:
    """A short one with some payload in it."""
    yield from connection.open()
    yield connection.packet(PUSH, bytes(100))
    yield connection.packet(PUSH, bytes(100), back=True)
    yield from connection.close()


def clients(count: int) -> Frames:
    """Clients with a session to the same server each."""
    for number in range(count):
        yield from session(Connection(CLIENTS + number, 40_000, VOLUME + 5, 16384))


def client_ports(count: int) -> Frames:
    """One client with sessions to one server, which go round its ports."""
    for number in range(count):
        yield from session(Connection(CLIENTS, 1024 + number % 64_000, VOLUME + 5, 16384))


def one_tuple(count: int) -> Frames:
    """One client that opens the same connection again and again, to where it may not."""
    for _ in range(count):
        yield from session(Connection(CLIENTS, 40_000, CLUSTER + 1, 22))


def servers(count: int) -> Frames:
    """One client that calls servers which nobody publishes, on a port that tells the vendor."""
    for number in range(count):
        yield from session(Connection(CLIENTS, 40_000, (198 << 24 | 18 << 16) + number, 16384))


def unanswered(count: int) -> Frames:
    """Clients that try a server in vain."""
    for number in range(count):
        yield Connection(CLIENTS + number, 40_000, VOLUME + 5, 16384).packet(SYN)


def ports(count: int) -> Frames:
    """One client that tries the ports of the vendor's servers."""
    for number in range(count):
        tried = Connection(CLIENTS, 40_000, CLUSTER + 1 + number // 65_000, 1 + number % 65_000)
        yield tried.packet(SYN)
        yield tried.packet(RST | ACK, back=True)


def inbound(count: int) -> Frames:
    """A vendor's server that opens sessions to clients."""
    for number in range(count):
        yield from session(Connection(CLUSTER + 1, 40_000, CLIENTS + number, 5900))


def returns(count: int) -> Frames:
    """Clients of which only what a vendor's server sent was captured, and one whole session."""
    yield from session(Connection(CLIENTS - 1, 40_000, VOLUME + 5, 16384))
    for number in range(count):
        yield Connection(VOLUME + 5, 16384, CLIENTS + number, 40_000).packet(PUSH, b"x")


def datagrams(count: int) -> Frames:
    """Clients that send a datagram to a vendor's server each."""
    for number in range(count):
        yield udp(CLIENTS + number, 40_000, CLUSTER + 9, 21_000, b"scan")


def datagram_ports(count: int) -> Frames:
    """One client that sends datagrams to a vendor's server from all its ports to all of that."""
    for number in range(count):
        yield udp(CLIENTS, 1024 + number % 60_000, CLUSTER + 9, 1 + number * 7 % 65_000, b"scan")


def message(number: int, flags: int, answers: bytes = b"", count: int = 0) -> bytes:
    """A DNS message about the vendor's name."""
    return struct.pack(">HHHHHH", number & 0xFFFF, flags, 1, count, 0, 0) + NAME + b"\x00\x01\x00\x01" + answers


def dns(count: int) -> Frames:
    """Clients that are told another address for the vendor's name each, which is none of the vendor's."""
    for number in range(count):
        address = (198 << 24 | 18 << 16) + number % (1 << 17)
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + address.to_bytes(4, "big")
        yield udp(CLIENTS + number, 40_000, RESOLVER, 53, message(number, 0x0100))
        yield udp(RESOLVER, 53, CLIENTS + number, 40_000, message(number, 0x8180, answer, 1))


def dns_one_client(count: int) -> Frames:
    """One client that asks from all its ports, and is told the same wrong address."""
    answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + (ELSEWHERE + 7).to_bytes(4, "big")
    for number in range(count):
        port = 1024 + number % 60_000
        yield udp(CLIENTS, port, RESOLVER, 53, message(number, 0x0100))
        yield udp(RESOLVER, 53, CLIENTS, port, message(number, 0x8180, answer, 1))


def dns_answers(count: int) -> Frames:
    """One client that is told another wrong address each time."""
    for number in range(count):
        port, address = 1024 + number % 60_000, (198 << 24 | 18 << 16) + number % (1 << 17)
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + address.to_bytes(4, "big")
        yield udp(CLIENTS, port, RESOLVER, 53, message(number, 0x0100))
        yield udp(RESOLVER, 53, CLIENTS, port, message(number, 0x8180, answer, 1))


def dns_addresses(count: int) -> Frames:
    """Clients that are told twenty wrong addresses each."""
    for number in range(count):
        answer = b"".join(
            b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04"
            + ((198 << 24 | 18 << 16) + (number * 20 + at) % (1 << 17)).to_bytes(4, "big")
            for at in range(20)
        )
        yield udp(CLIENTS + number, 40_000, RESOLVER, 53, message(number, 0x0100))
        yield udp(RESOLVER, 53, CLIENTS + number, 40_000, message(number, 0x8180, answer, 20))


def dns_addresses(count: int) -> Frames:
    """Clients that are told twenty wrong addresses each."""
    for number in range(count):
        answer = b"".join(
            b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04"
            + ((198 << 24 | 18 << 16) + (number * 20 + at) % (1 << 17)).to_bytes(4, "big")
            for at in range(20)
        )
        yield udp(CLIENTS + number, 40_000, RESOLVER, 53, message(number, 0x0100))
        yield udp(RESOLVER, 53, CLIENTS + number, 40_000, message(number, 0x8180, answer, 20))


def socks(count: int, *, named: bool = False, clients: bool = True) -> Frames:
    """Clients that go through a SOCKS proxy, each to another target that no vendor has."""
    for number in range(count):
        target = ((198 << 24 | 18 << 16) + number % (1 << 17)).to_bytes(4, "big")
        name = b"host-%d.example" % number
        request = b"\x05\x01\x00" + (b"\x03%c" % len(name) + name if named else b"\x01" + target) + b"\x40\x00"
        client = (CLIENTS + number, 40_000) if clients else (CLIENTS, 1024 + number % 64_000)
        through = Connection(*client, PROXY, 1080)
        yield from through.open()
        yield from through.say((False, b"\x05\x01\x00"), (True, b"\x05\x00"), (False, request))
        yield from through.say((True, b"\x05\x00\x00\x01\x0a\x00\x00\x09\x9c\x40"), (False, bytes(50)))
        yield from through.close()


def socks_named(count: int) -> Frames:
    """The same with targets that have names."""
    return socks(count, named=True)


def socks_one_client(count: int) -> Frames:
    """One client that goes through a SOCKS proxy to as many targets."""
    return socks(count, clients=False)


def connect_one_client(count: int) -> Frames:
    """One client that goes through an HTTP proxy to as many hosts by name."""
    return connect(count, clients=False)


def connect(count: int, *, clients: bool = True) -> Frames:
    """Clients that go through an HTTP proxy, each to another host by name."""
    for number in range(count):
        client = (CLIENTS + number, 40_000) if clients else (CLIENTS, 1024 + number % 64_000)
        through = Connection(*client, PROXY, 8080)
        yield from through.open()
        yield from through.say((False, b"CONNECT h%d.example:16384 HTTP/1.1\r\n\r\n" % number))
        yield from through.say((True, b"HTTP/1.1 200 OK\r\n\r\n"), (False, bytes(50)))
        yield from through.close()


def relayed(count: int) -> Frames:
    """A client with a relay for datagrams at its SOCKS proxy, which sends to vendors' servers through it."""
    control = Connection(CLIENTS, 30_000, PROXY, 1080)
    yield from control.open()
    yield from control.say((False, b"\x05\x01\x00"), (True, b"\x05\x00"), (False, b"\x05\x03\x00\x01" + bytes(6)))
    yield from control.say((True, b"\x05\x00\x00\x01" + PROXY.to_bytes(4, "big") + (41_000).to_bytes(2, "big")))
    for number in range(count):
        target = (VOLUME + 1 + number % 60).to_bytes(4, "big")
        payload = b"\x00\x00\x00\x01" + target + b"\x40\x00" + b"x"
        yield udp(CLIENTS, 1024 + number % 60_000, PROXY, 41_000, payload)


def icmp_quotes(count: int) -> Frames:
    """A router that says of each client's attempt that it cannot be delivered."""
    for number in range(count):
        tried = Connection(CLIENTS + number, 40_000, VOLUME + 5, 16384).packet(SYN)
        yield tried
        yield ip(ROUTER, CLIENTS + number, 1, b"\x03\x01\x00\x00\x00\x00\x00\x00" + tried[14:42])


def icmp_quotes_one_client(count: int) -> Frames:
    """The same of one client's attempts on all its ports."""
    for number in range(count):
        tried = Connection(CLIENTS, 1024 + number % 64_000, VOLUME + 5 + number // 64_000, 16384).packet(SYN)
        yield tried
        yield ip(ROUTER, CLIENTS, 1, b"\x03\x01\x00\x00\x00\x00\x00\x00" + tried[14:42])


def pings(count: int) -> Frames:
    """Clients that ping a vendor's server each."""
    for number in range(count):
        for kind, source, destination in ((8, CLIENTS + number, VOLUME + 5), (0, VOLUME + 5, CLIENTS + number)):
            yield ip(source, destination, 1, struct.pack(">BBHHH", kind, 0, 0, 1, number & 0xFFFF))


def other_protocols(count: int) -> Frames:
    """Clients that speak ESP with a vendor's server each."""
    for number in range(count):
        yield ip(CLIENTS + number, VOLUME + 5, 50, bytes(40))


def pieces(count: int) -> Frames:
    """One client's datagrams to a vendor's server, a minute and more apart: one flow in as many pieces."""
    for _ in range(count):
        yield udp(CLIENTS, 40_000, CLUSTER + 9, 21_000, b"scan")


FLOODS: dict[str, Callable[[int], Frames]] = {
    flood.__name__.replace("_", "-"): flood
    for flood in (
        ftp,
        ftp_control,
        ftp_unannounced,
        ftp_one_client,
        ftp_one_session,
        ftp_active,
        clients,
        client_ports,
        one_tuple,
        servers,
        unanswered,
        ports,
        inbound,
        returns,
        datagrams,
        datagram_ports,
        dns,
        dns_one_client,
        dns_answers,
        dns_addresses,
        socks,
        socks_named,
        socks_one_client,
        connect,
        connect_one_client,
        relayed,
        icmp_quotes,
        icmp_quotes_one_client,
        pings,
        other_protocols,
        pieces,
    )
}
APART_NS = {"pieces": 61 * 10**9, "one-tuple": 10**5}
"""Time between two packets, where it is not APART."""
APART = 10_000


def write(kind: str, count: int, stream: BinaryIO) -> None:
    """Write a flood of that kind as pcap."""
    record, apart = struct.Struct("<IIII"), APART_NS.get(kind, APART)
    stream.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 1))
    now = START * 10**9
    for frame in FLOODS[kind](count):
        stream.write(record.pack(now // 10**9, now % 10**9, len(frame), len(frame)) + frame)
        now += apart


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--write"]:
        try:
            write(arguments[1], int(arguments[2]), sys.stdout.buffer)
        except BrokenPipeError:
            sys.stderr.close()  # whoever read has seen enough
            return 1
        return 0
    if arguments[:1] == ["--measure"]:
        print(MEASURED[arguments[1]](arguments[2]))
        return 0
    count = int(arguments.pop(0)) if arguments and arguments[0].isdecimal() else COUNT
    late = [kind for kind in arguments or FLOODS if not compared(kind, count)]
    if late:
        print(f"more than {WORST} times as long for twice as much: {', '.join(late)}")
    return int(bool(late))


def compared(kind: str, count: int) -> bool:
    """Print what a flood and one of twice the size take; False where the second takes too long."""
    with tempfile.TemporaryDirectory() as folder:
        captures = [Path(folder) / f"{kind}-{size}.pcap" for size in (count, 2 * count)]
        for capture, size in zip(captures, (count, 2 * count), strict=True):
            with capture.open("wb") as stream:
                write(kind, size, stream)
        fine, told = True, [f"{kind:24}"]
        for what in MEASURED:
            once, twice = (measured(what, capture) for capture in captures)
            told.append(f"{what} {once:6.2f} s {twice:6.2f} s")
            fine &= twice <= max(WORST * once, LEAST)
        print(*told, sep="   ", flush=True)
        return fine


def measured(what: str, capture: Path) -> float:
    """Seconds of CPU, in a process of its own."""
    words = [sys.executable, __file__, "--measure", what, str(capture)]
    return float(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)


SITE = "proxies: [{kind: http, address: 10.0.0.9, port: 8080}]\n"
"""The proxy of `connect`: no HTTP proxy is looked for without."""


def site() -> Site:
    from auditor.site import load_site

    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(SITE)
        file.flush()
        return load_site(file.name, [])


def of_audit(capture: str) -> float:
    """The audit, and its report as JSON."""
    from auditor.pipeline import audit
    from auditor.reports import write

    with open(os.devnull, "w") as nowhere:
        began = time.process_time()
        write("json", audit(capture, site=site()), nowhere)
    return time.process_time() - began


def of_tick(capture: str) -> float:
    """A watch that has all of it in one tick, and in its window."""
    from auditor.rulepack import enable
    from auditor.watch import Options, Watch

    began = time.process_time()
    watch = Watch([capture], enable(None, []), site(), Options(tick=1e6, window_flows=1 << 30))
    watch.run()
    return time.process_time() - began


MEASURED: dict[str, Callable[[str], float]] = {"audit": of_audit, "tick": of_tick}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
