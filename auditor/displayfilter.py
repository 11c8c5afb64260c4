"""Wireshark display filters that show exactly certain packets (Wireshark 4.0 and later).

Wireshark's fields match at every layer: `ip.addr` finds the header that an ICMP error quotes as well, and `tcp.port`
the ports in it. So TCP and UDP filters leave out ICMP, and ICMP filters ask the outermost IP header (`#1`) unless
the flow was tunnelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.flow import ICMP, ICMP6, TCP, UDP
from auditor.lean import NamedTuple

LAYERS = {TCP: "tcp", UDP: "udp"}
IPV6 = 6


class Conversation(NamedTuple):
    """What of the packets between a client and a server is meant."""

    version: int  # 4 or 6
    protocol: int
    client: str
    server: str
    client_ports: Sequence[int] | None = None  # None: all; for protocols without ports as well
    server_ports: Sequence[int] | None = None
    from_client: Sequence[tuple[int, int | None]] = ()  # ICMP: type and code (None: any) of what the client sent
    from_server: Sequence[tuple[int, int | None]] = ()
    frames: Sequence[tuple[int, int]] | None = None  # first and last frame; None: all
    tunnelled: bool = False


class _End(NamedTuple):
    """One end of a conversation, and what it sent."""

    address: str
    ports: Sequence[int] | None
    kinds: Sequence[tuple[int, int | None]]


def display_filter(conversation: Conversation) -> str:
    """The filter for these packets, both ways."""
    ip = "ipv6" if conversation.version == IPV6 else "ip"
    client = _End(conversation.client, conversation.client_ports, conversation.from_client)
    server = _End(conversation.server, conversation.server_ports, conversation.from_server)
    ways = ((client, server), (server, client))
    if conversation.protocol in (ICMP, ICMP6):
        layer = "" if conversation.tunnelled else "#1"
        name = "icmpv6" if conversation.protocol == ICMP6 else "icmp"
        shown = _joined([_icmp_way(ip, layer, name, source, target) for source, target in ways if source.kinds])
    elif conversation.protocol in LAYERS:
        layer = LAYERS[conversation.protocol]
        shown = f"{_joined([_way(ip, layer, source, target) for source, target in ways])} && !{_icmp_name(ip)}"
    else:
        number = f"{'ipv6.nxt' if ip == 'ipv6' else 'ip.proto'} == {conversation.protocol}"
        shown = f"{number} && {_joined([_way(ip, '', *way) for way in ways])} && !{_icmp_name(ip)}"
    if conversation.frames is not None:
        shown += f" && frame.number in {_set(conversation.frames)}"
    return shown


def service_filter(version: int, protocol: int, client: str, server: str, port: int, *, inbound: bool) -> str:
    """`display_filter` for the commonest conversation, at a tenth of the time: TCP or UDP, any caller, one service.

    `port`: of the client if it was called (`inbound`), else of the server.
    """
    ip, icmp = ("ipv6", "icmpv6") if version == IPV6 else ("ip", "icmp")
    layer = LAYERS[protocol]
    up, down = ("srcport", "dstport") if inbound else ("dstport", "srcport")
    return (
        f"(({ip}.src == {client} && {ip}.dst == {server} && {layer}.{up} == {port})"
        f" || ({ip}.src == {server} && {ip}.dst == {client} && {layer}.{down} == {port})) && !{icmp}"
    )


def frame_filter(frames: Iterable[int]) -> str:
    """The filter for these frames."""
    return f"frame.number in {_set(_runs(frames))}"


def _way(ip: str, layer: str, source: _End, target: _End) -> str:
    way = f"{ip}.src == {source.address} && {ip}.dst == {target.address}"
    if source.ports is not None:
        way += f" && {_ports(f'{layer}.srcport', source.ports)}"
    if target.ports is not None:
        way += f" && {_ports(f'{layer}.dstport', target.ports)}"
    if layer and source.ports is None and target.ports is None:
        way += f" && {layer}"
    return way


def _icmp_way(ip: str, layer: str, name: str, source: _End, target: _End) -> str:
    terms = [f"{ip}.src{layer} == {source.address}", f"{ip}.dst{layer} == {target.address}"]
    any_code = [kind for kind, code in source.kinds if code is None]
    exact = [(kind, code) for kind, code in source.kinds if code is not None]
    choices = [f"{name}.type{layer} in {_set(_runs(any_code))}"] if any_code else []
    choices += [f"({name}.type{layer} == {kind} && {name}.code{layer} == {code})" for kind, code in exact]
    return " && ".join([*terms, choices[0] if len(choices) == 1 else f"({' || '.join(choices)})"])


def _icmp_name(ip: str) -> str:
    return "icmpv6" if ip == "ipv6" else "icmp"


def _joined(ways: Sequence[str]) -> str:
    return f"({ways[0]})" if len(ways) == 1 else f"(({ways[0]}) || ({ways[1]}))"


def _ports(field: str, ports: Sequence[int]) -> str:
    return f"{field} == {ports[0]}" if len(ports) == 1 else f"{field} in {_set(_runs(ports))}"


def _set(runs: Iterable[tuple[int, int]]) -> str:
    return "{" + ", ".join(str(first) if first == last else f"{first}..{last}" for first, last in runs) + "}"


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Sorted runs of consecutive numbers."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
