"""Plots of every kind of audit, without a word of matplotlib's."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from program import CAPTURES, CLEAN, VIOLATING, python

import auditor
from auditor import plots
from auditor.errors import AuditorError
from auditor.plots._flows import amounts, over_time, pairs, shown
from auditor.plots._style import svg_of

SAMPLES = (
    VIOLATING,
    CLEAN,
    CAPTURES / "securidata-violating.pcapng",
    CAPTURES / "checks" / "capture-incomplete-fires-dropped.pcapng",
    CAPTURES / "checks" / "proxy-target-outside-published-fires-names.pcap",
)
ALL = (plots.timeline, plots.traffic, plots.matrix, plots.ports, plots.health)
NOTHING = {
    plots.timeline: "Neither sessions nor findings.",
    plots.traffic: "No traffic with any of these vendors.",
    plots.matrix: "No client spoke with a server of these vendors.",
    plots.ports: "No rule pack was in use.",
    plots.health: "No capture was read.",
}


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda path: path.stem)
def report(request: pytest.FixtureRequest) -> auditor.Audit:
    return auditor.audit(request.param)


def words(figure: Figure) -> str:
    """The text of a plot."""
    return "\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg_of(figure)))


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.__name__)
def test_every_audit_has_every_plot_the_same_each_time(plot: Any, report: auditor.Audit) -> None:
    first, second = svg_of(plot(report)), svg_of(plot(report))
    assert first == second
    assert first.startswith("<svg")
    assert "<metadata" not in first


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.__name__)
def test_an_audit_of_nothing_has_plots_that_say_so(plot: Any) -> None:
    report = auditor.audit(CLEAN, packs=["securidata"])
    nothing = replace(report, health=replace(report.health, captures=()), enabled_packs=())
    assert NOTHING[plot] in words(plot(nothing))


def test_names_are_the_functions_in_the_order_of_a_report() -> None:
    assert tuple(plot.__name__ for plot in ALL) == plots.NAMES
    assert all(plots.title(name) for name in plots.NAMES)


def test_the_matrix_marks_each_pair_with_its_worst_finding() -> None:
    from auditor.plots._matrix import KEPT, _marks, _weights

    report = auditor.audit(VIOLATING)
    marks = _marks(report)
    assert marks["10.1.2.3", "66.241.7.9"] == "critical"
    assert marks["10.1.2.3", "66.241.7.31"] == "high"
    assert KEPT not in marks.values()
    clean = auditor.audit(CLEAN)
    assert not {mark for pair, mark in _marks(clean).items()} - {"info"}
    assert sum(_weights(clean).values()) == len(clean.flows)


def test_bytes_over_time_are_those_of_the_traffic_summary() -> None:
    report = auditor.audit(VIOLATING)
    flows = shown(report)
    assert flows is not None
    edges = np.linspace(flows.start_ns.min(), flows.end_ns.max() + 1, 20).astype(np.int64)
    edges[-1] = flows.end_ns.max() + 1
    totals: dict[str, float] = {}
    for name, rows, sizes in amounts(flows):
        totals[name] = totals.get(name, 0) + over_time(flows, rows, sizes, edges).sum()
    expected = {name: amount.bytes for name, amount in report.judged.traffic.items() if name != "other"}
    assert {name: round(total) for name, total in totals.items() if name != "other"} == {
        name: size for name, size in expected.items() if name in totals
    }


def test_a_flow_s_bytes_are_spread_evenly_over_its_time() -> None:
    report = auditor.audit(CLEAN)
    flows = shown(report)
    assert flows is not None
    one = flows._replace(start_ns=np.array([0]), end_ns=np.array([4_000_000_000]))
    edges = np.array([0, 1_000_000_000, 3_000_000_000, 4_000_000_001])
    spread = over_time(one, np.array([0]), np.array([400], np.uint64), edges)
    assert [round(part) for part in spread.tolist()] == [100, 200, 100]


def test_pairs_are_counted_exactly() -> None:
    flows = shown(auditor.audit(VIOLATING))
    assert flows is not None
    columns = (flows.client_hi, flows.client_lo, flows.server_hi, flows.server_lo)
    expected: dict[tuple[int, ...], int] = {}
    for ends in zip(*(column.tolist() for column in columns), strict=True):
        expected[ends] = expected.get(ends, 0) + 1
    rows, counts = pairs(flows)
    found = {tuple(int(column[row]) for column in columns): int(count) for row, count in zip(rows, counts, strict=True)}
    assert found == expected


def test_sessions_nearer_than_can_be_seen_are_one_bar_and_others_stay_apart() -> None:
    from auditor.plots._timeline import _joined

    assert _joined([(50, 60), (0, 10), (12, 20), (5, 8)], 3) == [(0, 20), (50, 60)]


def test_ten_thousand_sessions_are_all_drawn_in_a_moment() -> None:
    report = auditor.audit(VIOLATING)
    (model, *_) = report.judged.sessions
    many = [
        replace(model, client_ip=f"10.2.{at >> 8}.{at & 255}", start_ns=model.start_ns + at, end_ns=model.end_ns + at)
        for at in range(10_000)
    ]
    figure = plots.timeline(replace(report, judged=replace(report.judged, sessions=many)))
    lanes = [label.get_text().split()[0] for label in figure.axes[0].get_yticklabels()]
    assert lanes == [f"10.2.0.{at}" for at in range(15)] + ["others"]
    assert len(svg_of(figure)) < 50_000


def test_settings_of_the_process_are_left_alone_and_pyplot_is_not_imported() -> None:
    code = (
        "import sys, auditor, matplotlib; matplotlib.rcParams['font.size'] = 33; from auditor import plots;"
        "report = auditor.audit(sys.argv[1]); [plots.draw(name, report) for name in plots.NAMES];"
        "print(matplotlib.rcParams['font.size'], 'matplotlib.pyplot' in sys.modules)"
    )
    assert python(code, VIOLATING).stdout.split() == ["33.0", "False"]


def test_without_matplotlib_a_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(AuditorError, match=r"auditor\[plot\]"):
        plots.timeline(auditor.audit(CLEAN))


def test_saving_a_plot_needs_no_display(tmp_path: Path) -> None:
    out = tmp_path / "ports.png"
    plots.ports(auditor.audit(VIOLATING)).savefig(out)
    assert out.read_bytes().startswith(b"\x89PNG")
