"""Server ports in use against those that each vendor publishes. Ports stand on a logarithmic axis: the documents name
21 and 16384, and a range of forty thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from auditor.flow import TCP, UDP, Role
from auditor.plots._flows import shown
from auditor.plots._style import BLUE, GREY, INK, ORANGE, RED, RULE, WIDTH, empty, label, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from auditor.result import Audit
    from auditor.rulepack import EnabledPack

LANES: Final = 20
SLOTS: Final = 400
"""Ports nearer to each other than the axis has places become one mark."""
TICKS: Final = (1, 21, 80, 211, 443, 1080, 4401, 16384, 60000)
FIRST: Final = 15
"""Where the axis begins, unless a lower port was used."""


class Use(NamedTuple):
    """How a port was used: marker, colour and word."""

    marker: str
    colour: str
    word: str
    shift: float  # from the middle of its lane, so that uses of one port stand apart


PUBLISHED, UNPUBLISHED, CALLED_IN = (
    Use("o", BLUE, "used, published", 0.0),
    Use("X", RED, "used, not published", 0.2),
    Use("v", ORANGE, "port of a client, opened from outside", -0.2),
)


def draw(report: Audit) -> Figure:
    used = _used(report)
    packs = {enabled.id: enabled for enabled in report.enabled_packs}
    lanes = [*packs, *sorted(vendor for vendor in used if vendor not in packs)][:LANES]
    if not lanes:
        return empty("No rule pack was in use.")
    with styled():
        figure = Figure(figsize=(WIDTH, 1.25 + 0.42 * len(lanes)), layout="constrained")
        axes = figure.add_subplot()
        for at, vendor in enumerate(lanes):
            if vendor in packs:
                _published(axes, at, packs[vendor])
            _marks(axes, at, used.get(vendor, {}))
        axes.set_xscale("log")
        lowest = min((port for lane in used.values() for places in lane.values() for port, _ in places), default=FIRST)
        axes.set_xlim(min(lowest * 0.9, FIRST), 80_000)
        ticks = [port for port in TICKS if port >= min(lowest, FIRST)]
        axes.set_xticks(ticks, [str(port) for port in ticks])
        axes.set_xticks([], minor=True)
        axes.set_yticks(range(len(lanes)), [_name(vendor) for vendor in lanes])
        axes.set_ylim(len(lanes) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=RULE, linewidth=0.4)
        axes.set_xlabel("port")
        _legend(figure)
        return figure


def _used(report: Audit) -> dict[str, dict[Use, list[tuple[float, int]]]]:
    """Ports and numbers of flows by use, by vendor."""
    flows = shown(report)
    if flows is None:
        return {}
    judged = np.isin(flows.protocol, (TCP, UDP)) & (flows.role != Role.RETURN)
    called_in = flows.inbound | (flows.role == Role.INBOUND)
    port = np.where(judged, np.where(called_in, flows.client_port, flows.server_port), 0).astype(np.int64)
    unpublished = (flows.role == Role.UNPUBLISHED) | (flows.role == Role.OTHER)
    kind = np.where(called_in, 2, np.where(unpublished, 1, 0))
    used: dict[str, dict[Use, list[tuple[float, int]]]] = {}
    for vendor in np.unique(flows.vendor).tolist():
        lane = used.setdefault(flows.vendors[vendor], {})
        for code, use in enumerate((PUBLISHED, UNPUBLISHED, CALLED_IN)):
            here = port[(flows.vendor == vendor) & (kind == code) & (port > 0)]
            lane[use] = _places(here)
    return used


def _places(ports: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[tuple[float, int]]:
    """Where marks stand, and for how many flows."""
    numbers, counts = np.unique(ports, return_counts=True)
    if len(numbers) <= SLOTS:
        return list(zip(numbers.tolist(), counts.tolist(), strict=True))
    slots = np.round(np.log(numbers) * SLOTS / np.log(65536)).astype(np.int64)
    places, at = np.unique(slots, return_index=True)
    return list(zip(numbers[at].tolist(), np.add.reduceat(counts, at).tolist(), strict=True)) if len(places) else []


def _published(axes: Axes, at: int, enabled: EnabledPack) -> None:
    for service in enabled.pack.services:
        off = service.feature is not None and service.feature not in enabled.features
        for ports in service.ports:
            # a single port is as wide on the axis as one can see
            low, high = ports.first / 1.045, ports.last * 1.045
            axes.barh(
                at,
                high - low,
                left=low,
                height=0.62,
                facecolor="none" if off else GREY,
                alpha=None if off else 0.38,
                edgecolor=GREY,
                linewidth=0.8,
                linestyle=":" if off else "-",
            )


def _marks(axes: Axes, at: int, lane: dict[Use, list[tuple[float, int]]]) -> None:
    for use, places in lane.items():
        if places:
            ports, counts = zip(*places, strict=True)
            sizes = np.clip(26 + 9 * np.log10(np.array(counts, float)), 26, 80)
            axes.scatter(
                ports,
                [at + use.shift] * len(ports),
                sizes,
                marker=use.marker,
                facecolor=use.colour,
                edgecolor=INK,
                linewidth=0.6,
                zorder=3,
            )


def _name(vendor: str) -> str:
    """A lane's name; several possible vendors stand below each other."""
    return " or\n".join(label(one) for one in vendor.split("|")[:3])


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Line2D | Patch] = [
        Patch(facecolor=GREY, alpha=0.4, edgecolor=GREY, label="published"),
        Patch(facecolor="none", edgecolor=GREY, linestyle=":", label="published, feature off"),
    ]
    handles += [
        Line2D(
            [], [], marker=use.marker, markerfacecolor=use.colour, markeredgecolor=INK, linestyle="none", label=use.word
        )
        for use in (PUBLISHED, UNPUBLISHED, CALLED_IN)
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=5, columnspacing=1.2, handletextpad=0.5)
