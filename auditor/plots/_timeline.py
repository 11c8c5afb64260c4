"""When sessions ran and when findings were seen, on one axis of time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure

from auditor.plots._style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SEVERITY_COLOURS,
    SEVERITY_MARKERS,
    WIDTH,
    by_address,
    empty,
    label,
    place,
    styled,
    time_axis,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from auditor.finding import Finding
    from auditor.result import Audit
    from auditor.sessions import Session

LANES: Final = 16
"""Clients with a lane of their own; the others share the last."""
SLOTS: Final = 240
"""Findings nearer to each other than the axis has places become one mark, larger for more of them."""
PIXELS: Final = 900
"""Sessions of a lane that are nearer to each other than can be seen become one bar, their starts one mark."""
BAR: Final = 0.56
"""Of a lane's height."""
KINDS: Final = {"backup": BLUE, "restore": ORANGE, "registration": GREEN, "support": PURPLE}
KIND_HATCHES: Final = {"backup": "", "restore": "///", "registration": "...", "support": "xxx"}


def draw(report: Audit) -> Figure:
    sessions, findings = report.judged.sessions, [f for f in report.judged.findings if f.first_ns is not None]
    times = [time for session in sessions for time in (session.start_ns, session.end_ns)]
    times += [time for finding in findings for time in (finding.first_ns, finding.last_ns) if time is not None]
    if not times:
        return empty("Neither sessions nor findings.")
    start, end = min([*times, report.health.start_ns or times[0]]), max([*times, report.health.end_ns])
    lanes = _lanes(sessions)
    severities = [word for word in SEVERITY_COLOURS if any(f.severity.word == word for f in findings)]
    heights = [0.26 * max(len(lanes), 1) + 0.1, 0.26 * max(len(severities), 1) + 0.1]
    with styled():
        figure = Figure(figsize=(WIDTH, sum(heights) + 1.3), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=heights)
        _sessions(above, sessions, lanes, max(end - start, 1))
        _findings(below, findings, severities, start, end)
        time_axis(below, start, end)
        _legend(above, {session.kind for session in sessions})
        return figure


def _lanes(sessions: Sequence[Session]) -> list[tuple[str, str]]:
    """Client and vendor of each lane: those with the most sessions, in order of address."""
    counts = Counter((session.client_ip, session.vendor) for session in sessions)
    lanes = sorted((key for key, _ in counts.most_common(LANES)), key=lambda lane: (by_address(lane[0]), lane[1]))
    return lanes if len(counts) <= LANES else [*lanes[: LANES - 1], ("others", "")]


def _sessions(axes: Axes, sessions: Sequence[Session], lanes: list[tuple[str, str]], span_ns: int) -> None:
    from matplotlib.collections import PolyCollection

    _prepare(axes, "sessions", lanes)
    if not lanes:
        return
    axes.tick_params(axis="x", length=0)
    number = {lane: at for at, lane in enumerate(lanes)}
    spans: dict[str, dict[int, list[tuple[int, int]]]] = {}
    starts: set[tuple[int, int]] = set()
    for session in sessions:
        lane = number.get((session.client_ip, session.vendor), len(lanes) - 1)
        spans.setdefault(session.kind, {}).setdefault(lane, []).append((session.start_ns, session.end_ns))
        starts.add((lane, session.start_ns * PIXELS // span_ns))
    for kind, by_lane in spans.items():
        bars = [
            [(left, lane - BAR / 2), (right, lane - BAR / 2), (right, lane + BAR / 2), (left, lane + BAR / 2)]
            for lane, times in by_lane.items()
            for left, right in ((place(first), place(last)) for first, last in _joined(times, span_ns // PIXELS))
        ]
        colour, hatch = KINDS.get(kind, BLUE), KIND_HATCHES.get(kind, "")
        drawn = PolyCollection(bars, facecolors=colour, edgecolors=INK, linewidths=0.5, hatch=hatch)
        axes.add_collection(drawn, autolim=False)
    times = [place(slot * span_ns // PIXELS) for _, slot in starts]
    axes.plot(times, [lane for lane, _ in starts], "|", color=INK, markersize=9, markeredgewidth=1)
    axes.set_yticks(range(len(lanes)), [label(f"{client}  {vendor}") for client, vendor in lanes])
    axes.set_ylim(len(lanes) - 0.4, -0.6)


def _prepare(axes: Axes, title: str, lanes: Sequence[object]) -> None:
    """A part of the plot with its title; without lanes it says that there are none."""
    axes.set_title(title, loc="left", fontsize=9, color=FAINT)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if not lanes:
        axes.set_yticks([])
        axes.text(0, 0.5, "none", color=FAINT, transform=axes.transAxes, va="center")


def _joined(times: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """The times that are covered, where what is nearer than `gap` is together."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(times):
        if joined and first <= joined[-1][1] + gap:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


def _findings(axes: Axes, findings: Sequence[Finding], severities: list[str], start: int, end: int) -> None:
    _prepare(axes, "findings", severities)
    if not severities:
        return
    slots: Counter[tuple[str, int, bool]] = Counter()
    span = max(end - start, 1)
    for finding in findings:
        first = finding.first_ns or start
        slots[finding.severity.word, (first - start) * SLOTS // span, finding.waived] += 1
    for (word, slot, waived), count in slots.items():
        time = place(start + slot * span // SLOTS)
        axes.plot(
            [time],
            [severities.index(word)],
            marker=SEVERITY_MARKERS[word],
            markersize=min(6 + 1.6 * (count - 1) ** 0.5, 13),
            markerfacecolor="none" if waived else SEVERITY_COLOURS[word],
            markeredgecolor=INK,
            markeredgewidth=0.7,
            linestyle="none",
        )
    totals = Counter(finding.severity.word for finding in findings)
    axes.set_yticks(range(len(severities)), [f"{word} ({totals[word]:,})" for word in severities])
    axes.set_ylim(len(severities) - 0.4, -0.6)
    axes.grid(axis="x")


def _legend(axes: Axes, kinds: set[str]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colour, edgecolor=INK, linewidth=0.5, hatch=KIND_HATCHES[kind], label=kind)
        for kind, colour in KINDS.items()
        if kind in kinds
    ]
    if handles:
        axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=4, borderaxespad=0.2)
