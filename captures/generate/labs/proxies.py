"""The vendors of port 16384 through proxies: SOCKS 4 and 5, HTTP CONNECT, and ports that a firewall maps."""

from __future__ import annotations

import itertools
import socket
from contextlib import AbstractContextManager

from captures.generate.ftp import Tls, readable, serve_ftp, tunnelled_ftp, tunnelled_upload
from captures.generate.hosts import exchange, serve
from captures.generate.lab import Lab, played
from captures.generate.proxies import (
    by_connect,
    by_socks4,
    by_socks5,
    serve_connect,
    serve_socks4,
    serve_socks5,
    tunnel5,
)
from captures.generate.recipe import lab

_CLIENT, _SECOND = "10.1.2.3", "10.1.2.4"
_PROXY, _OTHER_PROXY = "10.0.0.9", "10.0.0.14"
_SOCKS, _OTHER_SOCKS, _HTTP = (_PROXY, 1080), (_OTHER_PROXY, 1080), (_PROXY, 8080)
_PORTS = (1080, 8080)
_SERVER, _ALTERNATE = ("204.164.111.5", 16384), ("140.239.229.5", 16384)
_DIRECT = [("193.239.112.9", 16384), ("193.239.113.9", 16384)]  # Backup Direct
_CONNECTED = [("12.159.133.15", 16384), ("66.151.228.15", 16384)]  # Connected Backup
_FOREIGN, _SECOND_FOREIGN, _WEB = ("198.51.100.77", 16384), ("198.51.100.78", 16384), ("198.51.100.80", 443)
_NODE = "66.241.7.9"  # Dr.Backup
_BULK = 18_000  # payload bytes of a data flow; from 16384 on it is one


def _addresses(*ends: tuple[str, int]) -> list[str]:
    return [address for address, _ in ends]


@lab("checks/proxy-target-outside-published-fires.pcapng")
def foreign_targets() -> bytes:
    """Targets that nobody publishes: by SOCKS 5, SOCKS 4 and CONNECT, and by a name that says nothing."""

    def play(lab: Lab) -> None:
        for end in (_FOREIGN, _SECOND_FOREIGN, _SERVER):
            serve(lab, *end)
        lab.names({"backup.example.net": _FOREIGN[0]})
        serve_socks5(lab, *_SOCKS)
        serve_socks4(lab, *_OTHER_SOCKS)
        serve_connect(lab, *_HTTP)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _FOREIGN)
        by_socks4(lab, (_CLIENT, 2002), _OTHER_SOCKS, _SECOND_FOREIGN)
        by_connect(lab, (_SECOND, 2003), _HTTP, _FOREIGN)
        by_socks5(lab, (_SECOND, 2004), _SOCKS, ("backup.example.net", 16384))
        by_socks5(lab, (_CLIENT, 2005), _SOCKS, _SERVER, up=_BULK)

    outside = [_PROXY, _OTHER_PROXY, *_addresses(_FOREIGN, _SECOND_FOREIGN, _SERVER)]
    return played(play, inside=[_CLIENT, _SECOND], outside=outside, proxy_ports=_PORTS)


@lab("checks/proxy-target-outside-published-silent.pcapng")
def published_targets() -> bytes:
    """Servers of three vendors by SOCKS 5, SOCKS 4 and CONNECT; a web server, and port 16384 of an inside host."""
    inner = ("10.9.9.9", 16384)

    def play(lab: Lab) -> None:
        for end in (_SERVER, _ALTERNATE, *_DIRECT, *_CONNECTED, _WEB, inner):
            serve(lab, *end)
        serve_socks5(lab, *_SOCKS)
        serve_socks4(lab, *_OTHER_SOCKS)
        serve_connect(lab, *_HTTP)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _SERVER, up=_BULK)
        by_socks4(lab, (_CLIENT, 2002), _OTHER_SOCKS, _ALTERNATE)
        for number, end in enumerate(_DIRECT):
            by_socks4(lab, (_CLIENT, 2011 + number), _OTHER_SOCKS, end, up=_BULK)
        for number, end in enumerate(_CONNECTED):
            by_connect(lab, (_SECOND, 2021 + number), _HTTP, end, up=_BULK)
        by_socks5(lab, (_CLIENT, 2031), _SOCKS, _WEB)
        by_socks5(lab, (_CLIENT, 2032), _SOCKS, inner)

    outside = [_PROXY, _OTHER_PROXY, *_addresses(_SERVER, _ALTERNATE, *_DIRECT, *_CONNECTED, _WEB, inner)]
    return played(play, inside=[_CLIENT, _SECOND], outside=outside, proxy_ports=_PORTS)


@lab("checks/unexpected-proxy-fires.pcapng")
def unlisted_proxy() -> bytes:
    """Servers by SOCKS and CONNECT at a host that is no proxy of the site."""

    def play(lab: Lab) -> None:
        serve(lab, *_SERVER)
        serve_socks5(lab, *_OTHER_SOCKS)
        serve_connect(lab, _OTHER_PROXY, 8080)
        by_socks5(lab, (_CLIENT, 2001), _OTHER_SOCKS, _SERVER, up=_BULK)
        by_connect(lab, (_SECOND, 2002), (_OTHER_PROXY, 8080), _SERVER)

    return played(play, inside=[_CLIENT, _SECOND], outside=[_OTHER_PROXY, *_addresses(_SERVER)], proxy_ports=_PORTS)


@lab("checks/unexpected-proxy-silent.pcapng")
def listed_proxy() -> bytes:
    """Servers by the site's proxies; a web server by a proxy that is none of them."""

    def play(lab: Lab) -> None:
        serve(lab, *_SERVER)
        serve(lab, *_WEB)
        for end in (_SOCKS, _OTHER_SOCKS):
            serve_socks5(lab, *end)
        serve_connect(lab, *_HTTP)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _SERVER, up=_BULK)
        by_connect(lab, (_CLIENT, 2002), _HTTP, _SERVER)
        by_socks5(lab, (_CLIENT, 2003), _OTHER_SOCKS, _WEB)

    return played(
        play, inside=[_CLIENT], outside=[_PROXY, _OTHER_PROXY, *_addresses(_SERVER, _WEB)], proxy_ports=_PORTS
    )


@lab("checks/unexpected-proxy-silent-mapped.pcapng")
def mapped_ports() -> bytes:
    """The firewall leads one port of its own to each of six servers, two of every vendor."""
    ports = range(9001, 9007)

    def play(lab: Lab) -> None:
        for port in ports:
            serve(lab, _PROXY, port)
        for number, port in enumerate(ports):
            exchange(lab, _CLIENT, 2001 + number, _PROXY, port, up=_BULK if number % 2 else 600)

    return played(play, inside=[_CLIENT], outside=[_PROXY])


@lab("checks/proxy-bypassed-fires.pcapng")
def around_the_proxy() -> bytes:
    """One session by the proxy that the site requires, one around it."""

    def play(lab: Lab) -> None:
        serve(lab, *_SERVER)
        serve_socks5(lab, *_SOCKS)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _SERVER, up=_BULK)
        exchange(lab, _SECOND, 2002, *_SERVER)

    return played(play, inside=[_CLIENT, _SECOND], outside=[_PROXY, *_addresses(_SERVER)], proxy_ports=_PORTS)


@lab("checks/proxy-bypassed-silent.pcapng")
def by_the_proxy() -> bytes:
    """Every server by the required proxy; a web server without."""

    def play(lab: Lab) -> None:
        for end in (_SERVER, _ALTERNATE, _WEB):
            serve(lab, *end)
        serve_socks5(lab, *_SOCKS)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _SERVER, up=_BULK)
        by_socks5(lab, (_CLIENT, 2002), _SOCKS, _ALTERNATE)
        exchange(lab, _CLIENT, 2003, *_WEB)

    outside = [_PROXY, *_addresses(_SERVER, _ALTERNATE, _WEB)]
    return played(play, inside=[_CLIENT], outside=outside, proxy_ports=_PORTS)


@lab("checks/cleartext-credentials-fires-proxy.pcapng")
def proxy_logins() -> bytes:
    """User and password for a SOCKS proxy, and Basic credentials for an HTTP proxy, on the way to a server."""

    def play(lab: Lab) -> None:
        serve(lab, *_SERVER)
        serve_socks5(lab, *_SOCKS, login=True)
        serve_connect(lab, *_HTTP, login=True)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _SERVER, login=True, up=_BULK)
        by_connect(lab, (_CLIENT, 2002), _HTTP, _SERVER, login=True)

    return played(play, inside=[_CLIENT], outside=[_PROXY, *_addresses(_SERVER)], proxy_ports=_PORTS)


@lab("checks/cleartext-credentials-silent-proxy.pcapng")
def logins_of_others() -> bytes:
    """The same logins on the way to a web server, and a server by a proxy that asks for none."""

    def play(lab: Lab) -> None:
        serve(lab, *_SERVER)
        serve(lab, *_WEB)
        serve_socks5(lab, *_SOCKS, login=True)
        serve_connect(lab, *_HTTP, login=True)
        serve_socks5(lab, *_OTHER_SOCKS)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _WEB, login=True)
        by_connect(lab, (_CLIENT, 2002), _HTTP, _WEB, login=True)
        by_socks5(lab, (_CLIENT, 2003), _OTHER_SOCKS, _SERVER, up=_BULK)

    return played(
        play, inside=[_CLIENT], outside=[_PROXY, _OTHER_PROXY, *_addresses(_SERVER, _WEB)], proxy_ports=_PORTS
    )


@lab("checks/unencrypted-payload-fires-proxy.pcapng")
def readable_tunnels() -> bytes:
    """Text through SOCKS 5 and through CONNECT, behind handshakes of other bytes."""

    def play(lab: Lab) -> None:
        for end in (_SERVER, _ALTERNATE):
            serve(lab, *end)
        serve_socks5(lab, *_SOCKS)
        serve_connect(lab, *_HTTP)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _SERVER, payload=readable(_BULK))
        by_connect(lab, (_SECOND, 2002), _HTTP, _ALTERNATE, payload=readable(_BULK))

    outside = [_PROXY, *_addresses(_SERVER, _ALTERNATE)]
    return played(play, inside=[_CLIENT, _SECOND], outside=outside, proxy_ports=_PORTS)


@lab("checks/unencrypted-payload-silent-proxy.pcapng")
def random_tunnels() -> bytes:
    """Random bytes to a server and text to a web server, through SOCKS 5 and CONNECT."""

    def play(lab: Lab) -> None:
        for end in (_SERVER, _ALTERNATE, _WEB):
            serve(lab, *end)
        serve_socks5(lab, *_SOCKS)
        serve_connect(lab, *_HTTP)
        by_socks5(lab, (_CLIENT, 2001), _SOCKS, _SERVER, up=_BULK)
        by_connect(lab, (_CLIENT, 2002), _HTTP, _ALTERNATE, up=_BULK)
        by_socks5(lab, (_CLIENT, 2003), _SOCKS, _WEB, payload=readable(_BULK))

    outside = [_PROXY, *_addresses(_SERVER, _ALTERNATE, _WEB)]
    return played(play, inside=[_CLIENT], outside=outside, proxy_ports=_PORTS)


def _tunnelled_backup(tls: Tls) -> bytes:
    """One file by FTP, control and data connection each through a SOCKS proxy."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_001), tls)
        serve_socks5(lab, *_SOCKS)
        source_ports = itertools.count(2001)

        def reach(port: int) -> AbstractContextManager[socket.socket]:
            return tunnel5(lab, (_CLIENT, next(source_ports)), _SOCKS, (_NODE, port))

        with tunnelled_ftp(reach, 21, tls) as ftp:
            tunnelled_upload(ftp, reach, "one", _BULK)

    return played(play, inside=[_CLIENT], outside=[_PROXY, _NODE], proxy_ports=_PORTS)


@lab("checks/cleartext-credentials-fires-tunnel.pcapng")
def login_in_a_tunnel() -> bytes:
    """FTP in the clear through a proxy: login, PASV and a file."""
    return _tunnelled_backup(Tls.NONE)


@lab("checks/control-not-secured-silent-tunnel.pcapng")
def secured_in_a_tunnel() -> bytes:
    """FTP over TLS through a proxy."""
    return _tunnelled_backup(Tls.REQUIRED)
