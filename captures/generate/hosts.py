"""What the lab's hosts do: plain servers that take and give bytes, and their clients."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable

from captures.generate.lab import Lab

_POLL_SECONDS = 0.1  # how often a server looks whether the lab has ended
_ORDER = struct.Struct(">II")  # first bytes of every session: bytes up, bytes down
_DATAGRAM = 2048


def serve(lab: Lab, address: str, port: int) -> None:
    """A TCP server that takes the bytes a client announces and gives those it asks for, until the lab ends."""
    plug = lab.socket(address, port)
    plug.settimeout(_POLL_SECONDS)
    plug.listen()
    lab.background(_until_the_end(lab, plug, lambda: _converse(plug)))


def serve_datagrams(lab: Lab, address: str, port: int) -> None:
    """A UDP server: every datagram is answered by one of its size."""
    plug = lab.socket(address, port, socket.SOCK_DGRAM)
    plug.settimeout(_POLL_SECONDS)
    lab.background(_until_the_end(lab, plug, lambda: _answer(plug)))


def exchange(
    lab: Lab, source: str, source_port: int, destination: str, port: int, *, up: int = 600, down: int = 400
) -> None:
    """A whole TCP session: `up` random bytes to the server, then `down` back; closed by the client first."""
    with lab.socket(source, source_port) as plug:
        plug.connect((lab.address(destination), port))
        talk(plug, os.urandom(up - _ORDER.size), down)


def talk(plug: socket.socket, up: bytes, down: int) -> None:
    """What a client says to a plain server it is connected to: its order and `up`, then `down` bytes are taken."""
    plug.sendall(_ORDER.pack(_ORDER.size + len(up), down) + up)
    take(plug, down)


def attempt(lab: Lab, source: str, source_port: int, destination: str, port: int) -> None:
    """A connection that must not come about: refused, rejected, or given up after one repeated SYN."""
    with lab.socket(source, source_port) as plug:
        plug.settimeout(1.5)
        try:
            plug.connect((lab.address(destination), port))
        except OSError:
            return
    raise ValueError(f"{destination} port {port} answered")


def datagram(lab: Lab, source: str, source_port: int, destination: str, port: int, *, answered: bool) -> None:
    """A UDP datagram, and its answer where one must come."""
    with lab.socket(source, source_port, socket.SOCK_DGRAM) as plug:
        plug.sendto(os.urandom(64), (lab.address(destination), port))
        if answered:
            plug.recv(_DATAGRAM)


def ping(lab: Lab, source: str, destination: str, *, count: int = 2) -> None:
    """Echo requests, each answered by the other end's kernel."""
    with lab.home(source):
        plug = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with plug:
        plug.settimeout(_POLL_SECONDS * 20)
        plug.bind((lab.address(source), 0))
        for sequence in range(1, count + 1):
            plug.sendto(_echo_request(sequence), (lab.address(destination), 0))
            plug.recv(_DATAGRAM)


def _until_the_end(lab: Lab, plug: socket.socket, step: Callable[[], None]) -> Callable[[], None]:
    def work() -> None:
        with plug:
            while not lab.ended.is_set():
                try:
                    step()
                except TimeoutError:
                    continue

    return work


def _converse(plug: socket.socket) -> None:
    peer, _ = plug.accept()
    with peer:
        peer.settimeout(5.0)
        up, down = _ORDER.unpack(take(peer, _ORDER.size))
        take(peer, up - _ORDER.size)
        peer.sendall(os.urandom(down))
        peer.recv(1)  # the client closes first


def _answer(plug: socket.socket) -> None:
    data, peer = plug.recvfrom(_DATAGRAM)
    plug.sendto(os.urandom(len(data)), peer)


def take(plug: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes. Raises: ConnectionError if the other end closes before."""
    taken = bytearray()
    while len(taken) < size:
        part = plug.recv(size - len(taken))
        if not part:
            raise ConnectionError(f"closed after {len(taken)} of {size} bytes")
        taken += part
    return bytes(taken)


def _echo_request(sequence: int) -> bytes:
    """An ICMP echo request with its checksum (RFC 792, RFC 1071)."""
    data = bytes(range(48))
    words = struct.unpack(">28H", struct.pack(">BBHHH", 8, 0, 0, 77, sequence) + data)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">BBHHH", 8, 0, ~total & 0xFFFF, 77, sequence) + data
