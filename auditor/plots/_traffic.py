"""Bytes by class of traffic over time: a row for each class with a scale of its own, so that control traffic shows
beside the data that outweighs it a thousandfold. A flow's bytes are spread evenly over its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure

from auditor.layout import size
from auditor.plots._flows import amounts, over_time, shown
from auditor.plots._style import CLASS_COLOURS, CLASS_HATCHES, FAINT, GREY, INK, WIDTH, empty, place, styled, time_axis
from auditor.traffic import CLASSES

if TYPE_CHECKING:
    from auditor.result import Audit

BINS: Final = 72
ROW_INCHES: Final = 0.55


def draw(report: Audit) -> Figure:
    flows = shown(report)
    if flows is None:
        return empty("No traffic with any of these vendors.")
    start, end = int(flows.start_ns.min()), max(int(flows.end_ns.max()), int(flows.start_ns.min()) + 1_000_000)
    edges = np.linspace(start, end, BINS + 1).astype(np.int64)
    edges[-1] = end + 1
    by_class = dict.fromkeys(CLASSES, np.zeros(BINS))
    for name, rows, sizes in amounts(flows):
        by_class[name] = by_class[name] + over_time(flows, rows, sizes, edges)
    classes = [(name, values) for name, values in by_class.items() if values.sum() > 0]
    if not classes:
        return empty("The flows of these vendors carried no bytes.")
    with styled():
        figure = Figure(figsize=(WIDTH, 0.7 + ROW_INCHES * len(classes)), layout="constrained")
        grid = figure.subplots(len(classes), 1, sharex=True, squeeze=False)[:, 0]
        times = [place(int(edge)) for edge in edges]
        for axes, (name, values) in zip(grid, classes, strict=True):
            axes.stairs(
                values,
                times,
                fill=True,
                facecolor=CLASS_COLOURS.get(name, GREY),
                edgecolor=INK,
                linewidth=0.4,
                hatch=CLASS_HATCHES.get(name, ""),
            )
            axes.set_ylim(0, values.max() * 1.08)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.tick_params(axis="x", length=0 if axes is not grid[-1] else 3)
            axes.set_ylabel(name, rotation=0, ha="right", va="center", color=INK, fontsize=9)
            axes.text(1.01, 0.5, size(round(values.sum())), transform=axes.transAxes, va="center", color=FAINT)
        time_axis(grid[-1], start, end)
        return figure
