"""Proxies that real programs run, and what their clients say: microsocks (SOCKS 5), pproxy (SOCKS 4) and tinyproxy
(HTTP CONNECT).

A proxy plays an inside address, but stands beyond the gateway: the capture shows what the clients send to it and not
what it sends on. Clients name targets by lab addresses, which the rewrite turns into published ones.
"""

from __future__ import annotations

import base64
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from captures.generate.hosts import take, talk
from captures.generate.lab import Lab

USER, PASSWORD = "night-shift", "planted-proxy-secret"  # what no report may show
_CONNECT = 1
_GRANTED_4 = 0x5A
_NO_LOGIN, _LOGIN = 0, 2
_IPV4, _NAME = 1, 3


def serve_socks5(lab: Lab, address: str, port: int, *, login: bool = False) -> None:
    """SOCKS 5 (RFC 1928), with user and password (RFC 1929) if `login`."""
    options = ("-u", USER, "-P", PASSWORD) if login else ()
    lab.program(address, port, "microsocks", "-i", lab.address(address), "-p", str(port), *options)


def serve_socks4(lab: Lab, address: str, port: int) -> None:
    """SOCKS 4."""
    lab.program(address, port, sys.executable, "-m", "pproxy", "-l", f"socks4://{lab.address(address)}:{port}")


def serve_connect(lab: Lab, address: str, port: int, *, login: bool = False) -> None:
    """An HTTP proxy that permits CONNECT to every port, with Basic credentials (RFC 7617) if `login`."""
    lines = [f"Listen {lab.address(address)}", f"Port {port}", "Timeout 30", "DisableViaHeader Yes"]
    lines += [f"BasicAuth {USER} {PASSWORD}"] if login else []
    file = lab.folder / f"tinyproxy-{port}.conf"
    file.write_text("\n".join(lines) + "\n")
    lab.program(address, port, "tinyproxy", "-d", "-c", str(file))


def by_socks5(
    lab: Lab,
    source: tuple[str, int],
    proxy: tuple[str, int],
    target: tuple[str, int],
    *,
    login: bool = False,
    up: int = 600,
    down: int = 400,
    payload: bytes = b"",
) -> None:
    """A session through SOCKS 5. The target is a published address, or a name that the proxy resolves. The client sends
    `payload`, or else `up` random bytes."""
    with tunnel5(lab, source, proxy, target, login=login) as plug:
        talk(plug, payload or os.urandom(up), down)


@contextmanager
def tunnel5(
    lab: Lab, source: tuple[str, int], proxy: tuple[str, int], target: tuple[str, int], *, login: bool = False
) -> Iterator[socket.socket]:
    """A connection to the target through SOCKS 5."""
    with lab.socket(*source) as plug:
        plug.connect((lab.address(proxy[0]), proxy[1]))
        method = _LOGIN if login else _NO_LOGIN
        plug.sendall(bytes([5, 1, method]))
        _expect(plug, bytes([5, method]))
        if login:
            plug.sendall(b"\x01" + _counted(USER) + _counted(PASSWORD))
            _expect(plug, b"\x01\x00")
        plug.sendall(bytes([5, _CONNECT, 0]) + _target(lab, target[0]) + struct.pack(">H", target[1]))
        _expect(plug, b"\x05\x00")
        take(plug, 8)  # reserved, type, address and port of the proxy's own end
        yield plug


def by_socks4(
    lab: Lab,
    source: tuple[str, int],
    proxy: tuple[str, int],
    target: tuple[str, int],
    *,
    up: int = 600,
    down: int = 400,
) -> None:
    """A session through SOCKS 4."""
    with lab.socket(*source) as plug:
        plug.connect((lab.address(proxy[0]), proxy[1]))
        wanted = socket.inet_aton(lab.address(target[0]))
        plug.sendall(struct.pack(">BBH", 4, _CONNECT, target[1]) + wanted + b"\x00")
        _expect(plug, bytes([0, _GRANTED_4]))
        take(plug, 6)
        talk(plug, os.urandom(up), down)


def by_connect(
    lab: Lab,
    source: tuple[str, int],
    proxy: tuple[str, int],
    target: tuple[str, int],
    *,
    login: bool = False,
    up: int = 600,
    down: int = 400,
    payload: bytes = b"",
) -> None:
    """A session through HTTP CONNECT (RFC 9110, section 9.3.6)."""
    with lab.socket(*source) as plug:
        plug.connect((lab.address(proxy[0]), proxy[1]))
        place = f"{lab.address(target[0])}:{target[1]}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if login:
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}")
        plug.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += take(plug, 1)
        if answer.split(maxsplit=2)[1] != b"200":
            raise ValueError(f"the proxy answered {answer!r}")
        talk(plug, payload or os.urandom(up), down)


def _target(lab: Lab, target: str) -> bytes:
    """Type and address, as a SOCKS 5 request has them."""
    if target[0].isdigit():
        return bytes([_IPV4]) + socket.inet_aton(lab.address(target))
    return bytes([_NAME]) + _counted(target)


def _counted(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _expect(plug: socket.socket, wanted: bytes) -> None:
    if (answer := take(plug, len(wanted))) != wanted:
        raise ValueError(f"the proxy answered {answer!r}, expected {wanted!r}")
