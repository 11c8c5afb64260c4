"""What the engine is asked to read of payloads: as little as the packs and the site give a reason for.

Only flows that some check can concern are read at all (`auditor.interest`), and of those only conversations on these
ports, the first kilobytes of what vendors publish as encrypted, and answers about vendors' host names.
"""

from __future__ import annotations

from auditor.lean import NamedTuple

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.rulepack import EnabledPack
    from auditor.site import Site

DNS_PORT = 53
HTTP_PROXY_PORTS = (3128, 8080)  # where proxies that a site does not list are looked for, if it lists any
SOCKS, HTTP = "socks", "http-connect"  # the engine's kinds of conversations


class Listening(NamedTuple):
    """What is to be read. Equal ones read the same."""

    conversations: tuple[tuple[int, str], ...] = ()  # the server's TCP port and the kind, sorted by port
    samples: tuple[tuple[int, int], ...] = ()  # inclusive ranges of 128-bit addresses, sorted
    names: tuple[str, ...] = ()  # host names, lower case, sorted


def listening(packs: Sequence[EnabledPack], site: Site) -> Listening:
    """What an audit with these packs at this site listens to."""
    from auditor.addresses import intervals  # not for the head start, which knows the answer

    names = tuple(sorted({name.lower().rstrip(".") for enabled in packs for name in enabled.pack.hostnames}))
    kinds: dict[int, str] = {DNS_PORT: "dns-tcp"} if names else {}
    kinds |= dict(proxy_ports(packs, site))
    # Where one port stands for both, a vendor's control connection is the commoner one.
    kinds |= {port: "ftp" for enabled in packs for port in control_ports(enabled)}
    sampled = [
        item
        for enabled in packs
        if enabled.pack.encryption is not None and enabled.pack.encryption.payload
        for ranges in enabled.networks.values()
        for item in ranges
    ]
    if sampled:
        sampled += [endpoint.range for endpoint in site.mapped_proxies]
    return Listening(tuple(sorted(kinds.items())), tuple(intervals(sampled)), names)


def control_ports(enabled: EnabledPack) -> tuple[int, ...]:
    """TCP ports of control sessions that assign data ports, as FTP's do."""
    roles = {service.negotiated_by for service in enabled.pack.services} - {None}
    return tuple(
        port
        for service in enabled.pack.services
        if service.role in roles and "tcp" in service.protocols
        for ports in service.ports
        for port in range(ports.first, ports.last + 1)
    )


def proxy_ports(packs: Sequence[EnabledPack], site: Site) -> dict[int, str]:
    """TCP ports on which a proxy may be met, and the kind of it: published, listed by the site, or usual.

    A site that lists its proxies wants to know of others; without such a list nothing could be held against them.
    """
    kinds: dict[int, str] = dict.fromkeys(HTTP_PROXY_PORTS, HTTP) if site.proxies else {}
    for enabled in packs:
        proxies = enabled.pack.proxies
        if proxies is not None and proxies.socks_default_port is not None:
            kinds[proxies.socks_default_port] = SOCKS
    for proxy in site.proxies:
        kinds[proxy.port] = SOCKS if proxy.kind == "socks" else HTTP
    return dict(sorted(kinds.items()))
