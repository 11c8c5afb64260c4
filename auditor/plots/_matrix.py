"""Clients against servers: each pair that spoke, marked with the worst that was found between them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure

from auditor.formats import address_text
from auditor.plots._flows import pairs, shown
from auditor.plots._style import FAINT, GREEN, INK, RULE, SEVERITY_COLOURS, WIDTH, by_address, empty, label, styled
from auditor.severity import Severity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from auditor.result import Audit

CLIENTS_SHOWN, SERVERS_SHOWN = 24, 26
PAIRS: Final = 50_000
"""Pairs that are looked at, those with the most flows, beside all that findings name."""
CELL, LETTER = 0.29, 0.066
"""Inches: a cell's side, and what a letter of a slanting label takes in height."""
BLACK: Final = "#101010"
"""On every one of the colours that fill cells, whatever the page's ground is."""
KEPT, WAIVED = "as published", "waived"
LETTERS: Final = {"critical": "C", "high": "H", "medium": "M", "low": "L", "info": "i", WAIVED: "w", KEPT: "✓"}
COLOURS: Final = {**SEVERITY_COLOURS, WAIVED: "none", KEPT: GREEN}
RANK: Final = {KEPT: 0, WAIVED: 1, **{severity.word: severity + 2 for severity in Severity}}

Pair = tuple[str, str]  # client, server


def draw(report: Audit) -> Figure:
    marks, weight = _marks(report), _weights(report)
    for pair in weight:
        marks.setdefault(pair, KEPT)
    if not marks:
        return empty("No client spoke with a server of these vendors.")
    clients = _chosen(marks, weight, 0, CLIENTS_SHOWN)
    servers = _chosen(marks, weight, 1, SERVERS_SHOWN)
    rows, columns = {name: at for at, name in enumerate(clients)}, {name: at for at, name in enumerate(servers)}
    names = [label(name, 26) for name in servers]
    below = LETTER * max(map(len, names))
    size = max(WIDTH, 2.6 + CELL * len(servers)), 0.95 + below + CELL * len(clients)
    with styled():
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.set_aspect("equal")
        cells: dict[str, list[tuple[int, int]]] = {}
        for (client, server), mark in marks.items():
            if client in rows and server in columns:
                cells.setdefault(mark, []).append((columns[server], rows[client]))
        for mark, places in cells.items():
            _cells(axes, places, mark)
        axes.set_xlim(-0.5, len(servers) - 0.5)
        axes.set_ylim(len(clients) - 0.5, -0.5)
        axes.set_xticks(
            range(len(servers)), [label(name, 26) for name in servers], rotation=55, ha="right", rotation_mode="anchor"
        )
        axes.set_yticks(range(len(clients)), [label(name, 26) for name in clients])
        axes.tick_params(length=0)
        axes.tick_params(axis="x", labelcolor=INK)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_xticks(np.arange(len(servers) + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(clients) + 1) - 0.5, minor=True)
        axes.grid(which="minor", color=RULE, linewidth=0.6)
        axes.tick_params(which="minor", length=0)
        axes.set_xlabel("servers")
        axes.set_ylabel("clients")
        _legend(figure, set(marks.values()))
        _left_out(figure, marks, clients, servers)
        return figure


def _marks(report: Audit) -> dict[Pair, str]:
    """The worst of each pair that findings name; findings that observe object to nothing."""
    marks: dict[Pair, str] = {}
    for finding in report.judged.findings:
        if finding.client_ip is None or finding.server_ip is None:
            continue
        pair, mark = (finding.client_ip, finding.server_ip), WAIVED if finding.waived else finding.severity.word
        if RANK[mark] > RANK.get(marks.get(pair, KEPT), 0):
            marks[pair] = mark
    return marks


def _weights(report: Audit) -> Counter[Pair]:
    """Flows between each client and server of a vendor."""
    flows = shown(report)
    if flows is None:
        return Counter()
    rows, counts = pairs(flows)
    rows, counts = rows[:PAIRS], counts[:PAIRS]
    columns = (flows.client_hi, flows.client_lo, flows.server_hi, flows.server_lo)
    ends = zip(*(column[rows].tolist() for column in columns), strict=True)
    return Counter(
        {
            (address_text(a, b), address_text(c, d)): count
            for (a, b, c, d), count in zip(ends, counts.tolist(), strict=True)
        }
    )


def _chosen(marks: dict[Pair, str], weight: Counter[Pair], side: int, most: int) -> list[str]:
    """The names to show: those with the worst marks, then those with the most flows; in order of address."""
    worst: dict[str, tuple[int, int]] = {}
    for pair, mark in marks.items():
        rank, flows = worst.get(pair[side], (0, 0))
        worst[pair[side]] = max(rank, RANK[mark]), flows + weight[pair]
    names = sorted(worst, key=lambda name: worst[name], reverse=True)[:most]
    return sorted(names, key=by_address)


def _cells(axes: Axes, places: list[tuple[int, int]], mark: str) -> None:
    """Marks the cells at these columns and rows."""
    from matplotlib.collections import PolyCollection

    corners = np.array([(-0.4, -0.4), (0.4, -0.4), (0.4, 0.4), (-0.4, 0.4)])
    squares = np.array(places)[:, None, :] + corners
    axes.add_collection(
        PolyCollection(list(squares), facecolors=COLOURS[mark], edgecolors=INK, linewidths=0.5), autolim=False
    )
    colour = INK if mark == WAIVED else BLACK
    for column, row in places:
        letter = axes.text(
            column, row, LETTERS[mark], ha="center", va="center_baseline", size=8, weight="bold", color=colour
        )
        letter.set_in_layout(False)  # it lies within its cell: hundreds of them take seconds to measure


def _legend(figure: Figure, used: set[str]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=COLOURS[mark], edgecolor=INK, linewidth=0.5, label=f"{LETTERS[mark]}  {mark}")
        for mark in sorted(used, key=lambda mark: -RANK[mark])
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=7)


def _left_out(figure: Figure, marks: dict[Pair, str], clients: list[str], servers: list[str]) -> None:
    rest = [len({pair[side] for pair in marks}) - len(shown) for side, shown in enumerate((clients, servers))]
    if any(rest):
        figure.text(
            0.995, 0.005, f"not shown: {rest[0]:,} clients, {rest[1]:,} servers", ha="right", color=FAINT, fontsize=8
        )
