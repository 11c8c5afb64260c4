"""What each capture holds, in time and packets, and which problems it has."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from auditor.document import capture_entry
from auditor.layout import plural
from auditor.plots._style import BLUE, FAINT, GREY, INK, ORANGE, WIDTH, empty, label, place, styled, time_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from matplotlib.axes import Axes

    from auditor.reporttypes import CaptureEntry
    from auditor.result import Audit

CAPTURES_SHOWN, PROBLEMS_SHOWN = 16, 10
LOST_HATCH: Final = "////"


def draw(report: Audit) -> Figure:
    captures = list(report.captures)
    if not captures:
        return empty("No capture was read.")
    entries = [capture_entry(capture) for capture in captures]
    # those that lost something first, then in order of reading
    order = sorted(range(len(entries)), key=lambda at: entries[at]["complete"])[:CAPTURES_SHOWN]
    problems = _problems(entries)
    heights = [0.34 * len(order) + 0.25, 0.3 * len(problems) + 0.25]
    with styled():
        if problems:
            figure = Figure(figsize=(WIDTH, sum(heights) + 1.6), layout=ConstrainedLayoutEngine(h_pad=0.09))
            above, below = figure.subplots(2, 1, height_ratios=heights)
            _counts(below, problems)
        else:
            figure = Figure(figsize=(WIDTH, heights[0] + 0.9), layout="constrained")
            above = figure.add_subplot()
        _spans(above, [captures[at] for at in order], [entries[at] for at in order], report)
        if len(order) < len(entries):
            figure.text(
                0.995, 0.005, f"not shown: {len(entries) - len(order):,} captures", ha="right", color=FAINT, fontsize=8
            )
        return figure


def _spans(axes: Axes, captures: Sequence[Mapping[str, Any]], entries: Sequence[CaptureEntry], report: Audit) -> None:
    axes.set_title("captures: from the first packet to the last", loc="left", fontsize=9, color=FAINT)
    start, end = report.health.start_ns, report.health.end_ns
    for at, (capture, entry) in enumerate(zip(captures, entries, strict=True)):
        words = f"{plural(entry['packets'], 'packet')}, {'read whole' if entry['complete'] else 'INCOMPLETE'}"
        if entry["packets"]:
            first, last = (place(capture[name]) for name in ("first_ns", "last_ns"))
            axes.barh(
                at,
                last - first,
                left=first,
                height=0.5,
                facecolor=BLUE if entry["complete"] else ORANGE,
                edgecolor=INK,
                linewidth=0.5,
                hatch="" if entry["complete"] else LOST_HATCH,
            )
            axes.plot([first, last], [at, at], "|", color=INK, markersize=10)
        axes.text(1.01, at, words, transform=axes.get_yaxis_transform(), va="center", color=FAINT, fontsize=8.5)
    axes.set_yticks(range(len(entries)), [label(PurePath(entry["path"]).name) for entry in entries])
    axes.set_ylim(len(entries) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if end:
        time_axis(axes, start, end)
    else:
        axes.set_xticks([])


def _problems(entries: Sequence[CaptureEntry]) -> list[tuple[str, int, bool]]:
    """Name, count and whether traffic is hidden, of the kinds of problems that count most."""
    counts: Counter[str] = Counter()
    hiding: set[str] = set()
    for problem in (problem for entry in entries for problem in entry["problems"]):
        counts[problem["name"]] += problem["count"]
        if problem["hides_traffic"]:
            hiding.add(problem["name"])
    found = [(name, count, name in hiding) for name, count in counts.items()]
    return sorted(found, key=lambda row: (not row[2], -row[1], row[0]))[:PROBLEMS_SHOWN]


def _counts(axes: Axes, problems: Sequence[tuple[str, int, bool]]) -> None:
    axes.set_title("problems: how often; hatched ones may hide traffic", loc="left", fontsize=9, color=FAINT)
    for at, (_, count, hides) in enumerate(problems):
        axes.barh(
            at,
            count,
            height=0.55,
            facecolor=ORANGE if hides else GREY,
            edgecolor=INK,
            linewidth=0.5,
            hatch=LOST_HATCH if hides else "",
        )
        axes.annotate(f"{count:,}", (count, at), (4, 0), textcoords="offset points", va="center", color=FAINT)
    axes.set_xscale("symlog", linthresh=10)
    axes.set_xlim(0, max(count for _, count, _ in problems) * 2 + 1)
    axes.set_xticks([])
    axes.set_xticks([], minor=True)
    axes.set_yticks(range(len(problems)), [label(name) for name, _, _ in problems])
    axes.set_ylim(len(problems) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
