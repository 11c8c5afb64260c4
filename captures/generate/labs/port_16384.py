"""The three vendors whose servers listen on TCP 16384: plain servers that take and give random bytes."""

from __future__ import annotations

from captures.generate.hosts import attempt, datagram, exchange, ping, serve, serve_datagrams
from captures.generate.lab import Lab, played
from captures.generate.recipe import lab

_CLIENT, _OTHER_CLIENT, _UNLISTED_CLIENT = "10.1.2.3", "10.1.2.4", "10.1.2.50"
_WEB = "198.51.100.80"
_PORT = 16384
_BULK = 30_000  # payload bytes of a data flow; from 16384 on it is one


def _clean(primary: str, alternate: str) -> bytes:
    """Short sessions and bulk ones with both servers of a pair, from client ports 1024 to 5000."""

    def play(lab: Lab) -> None:
        serve(lab, _WEB, 443)
        for server in (primary, alternate):
            serve(lab, server, _PORT)
        exchange(lab, _CLIENT, 40_000, _WEB, 443)
        exchange(lab, _CLIENT, 1024, primary, _PORT, up=900, down=700)
        exchange(lab, _CLIENT, 1031, primary, _PORT, up=_BULK, down=300)
        exchange(lab, _CLIENT, 1032, alternate, _PORT)
        exchange(lab, _CLIENT, 5000, alternate, _PORT, up=_BULK, down=300)

    return played(play, inside=[_CLIENT], outside=[primary, alternate, _WEB])


@lab("online-backup-service-clean.pcapng")
def online_backup_service_clean() -> bytes:
    return _clean("204.164.111.5", "140.239.229.5")


@lab("backup-direct-clean.pcapng")
def backup_direct_clean() -> bytes:
    return _clean("193.239.112.10", "193.239.113.254")


@lab("connected-backup-clean.pcapng")
def connected_backup_clean() -> bytes:
    return _clean("12.159.133.5", "66.151.228.255")


@lab("online-backup-service-violating.pcapng")
def online_backup_service_violating() -> bytes:
    """UDP, ping, ports that are not published, sessions from outside, a foreign server, a network out of reach."""
    primary, second, blocked, foreign = "204.164.111.5", "204.164.111.6", "140.239.229.5", "198.51.100.77"

    def play(lab: Lab) -> None:
        for address, port in ((primary, _PORT), (primary, 443), (_CLIENT, 8080), (foreign, _PORT)):
            serve(lab, address, port)
        serve_datagrams(lab, primary, _PORT)
        exchange(lab, _CLIENT, 1030, primary, _PORT, up=_BULK)
        datagram(lab, _CLIENT, 3000, primary, _PORT, answered=True)
        ping(lab, _CLIENT, second)
        exchange(lab, _CLIENT, 1040, primary, 443)
        attempt(lab, _CLIENT, 1041, primary, 80)
        exchange(lab, primary, 40_000, _CLIENT, 8080)
        attempt(lab, primary, 40_001, _CLIENT, 22)
        exchange(lab, _CLIENT, 1042, foreign, _PORT)
        attempt(lab, _CLIENT, 1043, blocked, _PORT)
        exchange(lab, _OTHER_CLIENT, 40_000, primary, _PORT)

    return played(play, inside=[_CLIENT, _OTHER_CLIENT], outside=[primary, second, foreign], silent=[blocked])


@lab("backup-direct-violating.pcapng")
def backup_direct_violating() -> bytes:
    """The two addresses .255 that are just not published, a published network that the gateway rejects, a server too
    many, a restore, ping and UDP from outside."""
    servers = [f"193.239.112.{last}" for last in range(10, 15)]
    foreign, silent, rejected = "193.239.112.255", "193.239.113.255", "193.239.113.10"

    def play(lab: Lab) -> None:
        for server in (*servers, foreign):
            serve(lab, server, _PORT)
        serve_datagrams(lab, _CLIENT, 9999)
        exchange(lab, _CLIENT, 1030, servers[0], _PORT, up=_BULK)
        for number, server in enumerate(servers[1:]):
            exchange(lab, _CLIENT, 1031 + number, server, _PORT)
        exchange(lab, _CLIENT, 1044, foreign, _PORT)
        attempt(lab, _CLIENT, 1046, rejected, _PORT)
        attempt(lab, _CLIENT, 1045, silent, _PORT)
        ping(lab, servers[0], _CLIENT)
        datagram(lab, servers[1], 5000, _CLIENT, 9999, answered=True)
        exchange(lab, _CLIENT, 1050, servers[0], _PORT, down=_BULK)

    return played(play, inside=[_CLIENT], outside=[*servers, foreign], silent=[silent], rejected=[rejected])


@lab("connected-backup-violating.pcapng")
def connected_backup_violating() -> bytes:
    """Just outside of both networks, a host that must not back up, a port outside the return range, a stranger at the
    backup host's door; the first and last published addresses are in order."""
    first, last, below, above = "66.151.228.0", "12.159.133.63", "12.159.133.64", "66.151.229.0"
    stranger = "198.51.100.66"

    def play(lab: Lab) -> None:
        for server in (first, last, below, above):
            serve(lab, server, _PORT)
        serve(lab, _CLIENT, 3389)
        exchange(lab, _CLIENT, 1030, first, _PORT, up=_BULK)
        exchange(lab, _CLIENT, 1031, last, _PORT)
        exchange(lab, _CLIENT, 1032, below, _PORT)
        exchange(lab, _CLIENT, 1033, above, _PORT, up=_BULK)
        exchange(lab, _UNLISTED_CLIENT, 1034, first, _PORT)
        exchange(lab, _CLIENT, 40_001, last, _PORT)
        exchange(lab, stranger, 50_000, _CLIENT, 3389)
        attempt(lab, stranger, 50_001, _CLIENT, 445)

    outside = [first, last, below, above, stranger]
    return played(play, inside=[_CLIENT, _UNLISTED_CLIENT], outside=outside)
