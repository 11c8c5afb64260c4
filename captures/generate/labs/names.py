"""Name resolution: Dr.Backup's cluster name, and names that vendors without names have no use for."""

from __future__ import annotations

from captures.generate.hosts import exchange, serve
from captures.generate.lab import Lab, played
from captures.generate.names import look_up, look_up_by_tcp, serve_names
from captures.generate.recipe import lab

_CLIENT, _DEDICATED = "10.1.2.3", "10.1.2.4"
_RESOLVER = "10.0.0.53"
_CLUSTER = "rbs.drbackup.net"
_SERVERS = ["204.164.111.5", "193.239.112.9", "66.151.228.15"]  # one of each vendor of port 16384


@lab("checks/hostname-resolves-outside-fires.pcapng")
def resolves_outside() -> bytes:
    """The cluster's name leads outside of the range: through an alias, and to the first address after the range."""
    aliased, plain = "10.0.0.53", "10.0.0.54"

    def play(lab: Lab) -> None:
        serve_names(lab, aliased, {"node.example.net": "198.51.100.99"}, aliases={_CLUSTER: "node.example.net"})
        serve_names(lab, plain, {_CLUSTER: "66.241.7.31"})
        look_up(lab, _CLIENT, 40_001, aliased, _CLUSTER)
        look_up(lab, _CLIENT, 40_002, plain, _CLUSTER)

    return played(play, inside=[_CLIENT], outside=[aliased, plain])


@lab("checks/hostname-resolves-outside-fires-tcp.pcapng")
def resolves_outside_by_tcp() -> bytes:
    """The same name answered over TCP."""

    def play(lab: Lab) -> None:
        serve_names(lab, _RESOLVER, {_CLUSTER: "66.241.7.31"})
        look_up_by_tcp(lab, _CLIENT, 40_003, _RESOLVER, _CLUSTER)

    return played(play, inside=[_CLIENT], outside=[_RESOLVER])


@lab("checks/hostname-resolves-outside-silent.pcapng")
def resolves_inside() -> bytes:
    """The cluster's name within the range, in capitals too; no IPv6 address of it; names that only look like it, and a
    name that does not exist."""
    hosts = {
        _CLUSTER: "66.241.7.30",
        "rbs.drbackup.net.example.net": "198.51.100.99",
        "xrbs.drbackup.net": "198.51.100.98",
    }

    def play(lab: Lab) -> None:
        serve_names(lab, _RESOLVER, hosts)
        look_up(lab, _CLIENT, 40_001, _RESOLVER, _CLUSTER)
        look_up(lab, _CLIENT, 40_002, _RESOLVER, _CLUSTER.upper())
        look_up(lab, _CLIENT, 40_003, _RESOLVER, _CLUSTER, "AAAA")
        look_up_by_tcp(lab, _CLIENT, 40_004, _RESOLVER, _CLUSTER)
        for number, name in enumerate(["rbs.drbackup.net.example.net", "xrbs.drbackup.net", "nowhere.drbackup.net"]):
            look_up(lab, _CLIENT, 40_010 + number, _RESOLVER, name)

    return played(play, inside=[_CLIENT], outside=[_RESOLVER])


def _dedicated(client: str) -> bytes:
    """A dedicated host backs up with three vendors; `client` resolves names before."""

    def play(lab: Lab) -> None:
        for server in _SERVERS:
            serve(lab, server, 16384)
        serve_names(lab, _RESOLVER, {"updates.example.net": "198.51.100.99", _CLUSTER: "66.241.7.9"})
        look_up(lab, client, 40_001, _RESOLVER, "updates.example.net")
        look_up(lab, client, 40_002, _RESOLVER, "updates.example.net", "AAAA")
        for server in _SERVERS:
            exchange(lab, _DEDICATED, 1031, server, 16384, up=18_000)

    return played(play, inside=[_CLIENT, _DEDICATED], outside=[_RESOLVER, *_SERVERS])


@lab("checks/unneeded-name-resolution-fires.pcapng")
def dedicated_resolves() -> bytes:
    """A host that exists for backups without names resolves one."""
    return _dedicated(_DEDICATED)


@lab("checks/unneeded-name-resolution-silent.pcapng")
def others_resolve() -> bytes:
    """Another host resolves names; the dedicated one does not."""
    return _dedicated(_CLIENT)


@lab("checks/unneeded-name-resolution-silent-needed.pcapng")
def dedicated_needs_names() -> bytes:
    """The dedicated host of a vendor that calls its servers by name."""

    def play(lab: Lab) -> None:
        serve_names(lab, _RESOLVER, {_CLUSTER: "66.241.7.9"})
        look_up(lab, _DEDICATED, 40_001, _RESOLVER, _CLUSTER)

    return played(play, inside=[_DEDICATED], outside=[_RESOLVER])
