"""Findings against a second way to make them, slow and plain: one hit after the other, and no columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from flowbuilder import Row, classified, number, row

from auditor import grouping
from auditor.checks.base import Check, Context, Hits, Outcome, Severity, Targets
from auditor.displayfilter import Conversation, display_filter
from auditor.flow import ICMP, ICMP6, TCP, UDP, Codes, Direction, Flows
from auditor.flowends import NO_PORT, Ends
from auditor.flowfilter import FlowFilters, _Near
from auditor.formats import address_text, flow_id_text
from auditor.grouping import Grouping, flow_outcomes

SEEDS = range(40)
CLIENTS = ("10.0.0.5", "10.0.0.6", "fd00::5")
SERVERS = ("204.164.111.9", "66.241.7.9", "198.51.100.7", "2001:db8::9")
PORTS = (16384, 211, 80)
NAMES = ("", "a.example", "b.example")


def some_row(dice: np.random.Generator) -> Row:
    """A flow between ends of one family, of any protocol, opened by either."""
    client, server = str(dice.choice(CLIENTS)), str(dice.choice(SERVERS))
    if (":" in client) != (":" in server):
        client, server = CLIENTS[0], SERVERS[0]
    more: dict[str, Any] = {
        "start": float(dice.integers(1000, 1005)),
        "first_frame": int(dice.integers(1, 9)),
        "syn_frame": int(dice.integers(0, 9)),
        "packets": (int(dice.integers(0, 4)), int(dice.integers(1, 4))),
    }
    protocol = str(dice.choice(["tcp", "tcp", "udp", "icmp", "gre"]))
    if protocol == "gre":
        return row(client, server, "gre", **more)
    ipv6 = ":" in client
    if protocol == "icmp":
        kinds = [(128, 129), (3, 1)] if ipv6 else [(8, 0), (3, 1), (13, 14)]
        one, other = kinds[int(dice.integers(len(kinds)))]
        protocol = "icmp6" if ipv6 else "icmp"
    else:
        one, other = int(dice.integers(3000, 3003)), int(dice.choice(PORTS))
        more["history"] = str(dice.choice(["S", "ShADadFf", "Sr", "Da"])) if protocol == "tcp" else "D"
    ends = [f"[{client}]:{one}" if ipv6 else f"{client}:{one}", f"[{server}]:{other}" if ipv6 else f"{server}:{other}"]
    if dice.random() < 0.25:
        ends.reverse()
    return row(*ends, protocol, **more)


def some_hits(dice: np.random.Generator, flows: int, events: int) -> Iterable[Hits]:
    """Hits as different as checks make them; some object to the same flow twice."""
    for at in range(int(dice.integers(1, 4))):
        rows = dice.choice(flows, int(dice.integers(1, flows + 1)), replace=bool(dice.random() < 0.3))
        size = len(rows)
        targets = None
        if dice.random() < 0.5:
            names = tuple(str(name) for name in dice.choice(NAMES, size)) if dice.random() < 0.5 else ()
            numbers = [number(str(one)) for one in dice.choice(SERVERS, size)]
            numbers = [0 if name else one for name, one in zip_longest(names, numbers)]  # a name stands for an address
            targets = Targets(
                hi=np.array([one >> 64 for one in numbers], np.uint64),
                lo=np.array([one & (2**64 - 1) for one in numbers], np.uint64),
                port=dice.choice([NO_PORT, 443, 16384], size),
                names=names,
                through=bool(dice.random() < 0.6),
            )
        yield Hits(
            rows,
            dice.integers(0, 5, size).astype(np.uint8) if dice.random() < 0.6 else Severity.MEDIUM,
            f"{at}: {{client_ip}} {{server_ip}} {{server_port}} {{via}} {{count}} {{outcome}} {{direction}} {{why}}",
            certain=dice.random(size) < 0.5 if dice.random() < 0.5 else bool(dice.random() < 0.5),
            outcome=dice.integers(0, 3, size).astype(np.uint8) if dice.random() < 0.5 else None,
            statements=("range", "port") if dice.random() < 0.5 else (),
            extra={"why": f"why {at}"},
            vendor="drbackup" if dice.random() < 0.3 else None,
            targets=targets,
            told_by=dice.integers(-1, events, size) if dice.random() < 0.4 else None,
        )


def by_hand(check: Check, hits: Sequence[Hits], flows: Flows, context: Context) -> list[dict[str, Any]]:
    """The findings' facts, in the order of their keys."""
    ends, own_outcomes = Ends.of(flows), flow_outcomes(flows, np.arange(len(flows)))
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for at, hit in enumerate(hits):
        for place, flow in enumerate(hit.rows.tolist()):
            one = objection(hit, place, flow, flows, context, ends, own_outcomes)
            key = (
                *(one["vendor"], one["client"], one["server"], one["name"], one["service"], int(flows.protocol[flow])),
                *(bool(ends.inbound[flow]) and not one["through"], one["own_server"] if one["through"] else None),
            )
            groups.setdefault(key, []).append((int(flows.start_ns[flow]), flow, one["event"], at, place, one))
    return [facts(check, hits, sorted(group, key=lambda o: o[:5]), flows, context, ends) for group in groups.values()]


def objection(
    hit: Hits, place: int, flow: int, flows: Flows, context: Context, ends: Ends, own_outcomes: Codes
) -> dict[str, Any]:
    """One hit on one flow."""

    def of(value: Any) -> Any:
        return value if np.ndim(value) == 0 else value[place]

    own_server = (int(ends.server_hi[flow]), int(ends.server_lo[flow]))
    led = hit.targets
    return {
        "vendor": hit.vendor or context.labels.vendors[int(flows.vendor[flow])],
        "client": (int(ends.client_hi[flow]), int(ends.client_lo[flow])),
        "own_server": own_server,
        "server": own_server if led is None else (int(led.hi[place]), int(led.lo[place])),
        "server_port": int(ends.server_port[flow] if led is None else led.port[place]),
        "service": int(ends.service_port[flow] if led is None or led.through else led.port[place]),
        "name": led.names[place] if led is not None and led.names else "",
        "through": led is not None and led.through,
        "event": -1 if hit.told_by is None else int(hit.told_by[place]),
        "severity": int(of(hit.severity)),
        "certain": bool(of(hit.certain)),
        "outcome": int(own_outcomes[flow] if hit.outcome is None else of(hit.outcome)),
    }


def facts(
    check: Check, hits: Sequence[Hits], group: Sequence[tuple[Any, ...]], flows: Flows, context: Context, ends: Ends
) -> dict[str, Any]:
    rows = list(dict.fromkeys(one[1] for one in group))
    told = sorted({one[2] for one in group} - {-1})
    said = [one[5] for one in group]
    first, flow = said[0], rows[0]
    worst = max(one["severity"] for one in said)
    worst_hit = next(hits[one[3]] for one in group if one[5]["severity"] == worst)
    protocol = int(flows.protocol[flow])
    packets = sum(int(flows.packets_forward[one]) + int(flows.packets_reverse[one]) for one in rows)
    messages = check.counts_messages or protocol in (ICMP, ICMP6)
    ports = sorted({one["server_port"] for one in said} - {NO_PORT})
    made = {
        "vendor": first["vendor"],
        "client_ip": address_text(*first["client"]),
        "client_ports": tuple(sorted({int(ends.client_port[one]) for one in rows} - {NO_PORT})),
        "server_ip": first["name"] or address_text(*first["server"]),
        "server_port": ports[0] if len(ports) == 1 else None,
        "service_port": None if first["service"] == NO_PORT else first["service"],
        "via": address_text(*first["own_server"]) if first["through"] else None,
        "direction": "inbound" if ends.inbound[flow] and not first["through"] else "outbound",
        "count": (len(told) or packets) if messages else len(rows),
    }
    outcome = Outcome(max(one["outcome"] for one in said))
    events, paths = context.events, [one["path"] for one in context.health.captures]
    frames = [(paths[int(events.capture[one])], int(events.frame[one])) for one in told[: grouping.MAX_EVIDENCE]]
    only = None  # frames that alone are meant: of messages, where one capture holds them all
    if messages and told and len({int(events.capture[one]) for one in told}) == 1:
        only = sorted({int(events.frame[one]) for one in told})
    for one in rows[: grouping.MAX_EVIDENCE] if not frames else ():
        path, seen, syn = paths[int(flows.capture[one])], int(flows.first_frame[one]), int(flows.syn_frame[one])
        frames += [(path, seen)] + ([(path, syn)] if syn not in (0, seen) else [])
    return {
        **made,
        "severity": Severity(worst),
        "certain": any(one["certain"] for one in said if one["severity"] == worst),
        "outcome": outcome,
        "message": worst_hit.message.format_map({**made, "outcome": outcome.word, **worst_hit.extra}),
        "statements": worst_hit.statements,
        "first_ns": min(int(flows.start_ns[one]) for one in rows),
        "last_ns": max(int(flows.end_ns[one]) for one in rows),
        "flow_ids": tuple(flow_id_text(int(flows.flow_id[one])) for one in rows),
        "evidence": frames,
        "display_filter": filter_of(flows, ends, rows, only),
    }


def filter_of(flows: Flows, ends: Ends, rows: list[int], only: Sequence[int] | None) -> str:
    """The way for any group, however simple it is: each flow beside each other one."""
    first = rows[0]

    def client(one: int) -> tuple[int, int]:
        return int(ends.client_hi[one]), int(ends.client_lo[one])

    def server(one: int) -> tuple[int, int]:
        return int(ends.server_hi[one]), int(ends.server_lo[one])

    protocol = int(flows.protocol[first])
    talk = Conversation(int(flows.version[first]), protocol, address_text(*client(first)), address_text(*server(first)))
    if protocol not in (TCP, UDP):
        filters = FlowFilters(flows, ends)
        return filters._portless(talk, _Near(filters._keys, np.array(rows)), np.array(rows))
    inbound = flows.direction[first] == Direction.INBOUND
    called, calling = (ends.client_port, ends.server_port) if inbound else (ends.server_port, ends.client_port)
    rivals = [
        one
        for one in set(range(len(flows))) - set(rows)
        if flows.protocol[one] == protocol
        and {client(one), server(one)} == {client(first), server(first)}
        and called[one] == called[first]
    ]
    callers = sorted({int(calling[one]) for one in rows}) if rivals else None
    frames = None if only is None else [(frame, frame) for frame in only]
    if frames is None and any(calling[one] in (callers or ()) for one in rivals):
        spans = [range(int(flows.first_frame[one]), int(flows.last_frame[one]) + 1) for one in rows]
        held = sorted({frame for span in spans for frame in span})
        runs = [frame for frame in held if frame - 1 not in held], [frame for frame in held if frame + 1 not in held]
        frames = list(zip(*runs, strict=True))
    mine, theirs = ([int(called[first])], callers) if inbound else (callers, [int(called[first])])
    return display_filter(talk._replace(client_ports=mine, server_ports=theirs, frames=frames))


@pytest.mark.parametrize("seed", SEEDS)
def test_findings_are_those_that_one_gets_hit_by_hit(seed: int) -> None:
    dice = np.random.default_rng(seed)
    rows = [some_row(dice) for _ in range(int(dice.integers(1, 40)))]
    told = [
        {"flow": 0, "kind": "dns-answer", "text": "a.example", "frame": at + 1, "time": 1000.0 + at} for at in range(6)
    ]
    flows, context = classified(*rows, events=told)
    hits = list(some_hits(dice, len(flows), len(told)))

    class Made(Check):
        id, title, since, statements = "made", "Made up", "0", frozenset()
        counts_messages = bool(dice.random() < 0.5)

        def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
            return hits

    expected = by_hand(Made(), hits, flows, context)
    found = Grouping(flows, context, date(2026, 1, 1)).findings(Made())
    assert len({one.id for one in found}) == len(found)
    made = [
        {name: getattr(one, name) for name in expected[0] if name != "evidence"}
        | {"evidence": [(item.capture, item.frame) for item in one.evidence]}
        for one in found
    ]
    assert sorted(made, key=repr) == sorted(expected, key=repr)
