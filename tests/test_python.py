"""What a notebook or a script sees of an audit."""

from __future__ import annotations

import asyncio
import html.parser
import json
from pathlib import Path

import pandas as pd
import pytest
from lxml import etree
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from program import CAPTURES, CLEAN, VIOLATING, python

import auditor
from auditor import plots
from auditor.notebookview import audit_html, comparison_html
from auditor.plots._style import BLUE, GREY, ORANGE, PURPLE, RED, SEVERITY_COLOURS, SKY, svg_of

TABLES = ("flows", "findings", "sessions", "coverage", "traffic")


class Page(html.parser.HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_an_audit_works_inside_a_running_event_loop() -> None:
    async def ask() -> str:
        return auditor.audit(VIOLATING).verdict

    assert asyncio.run(ask()) == "violations"


def test_tables_are_tidy_with_utc_times_and_categories() -> None:
    audit = auditor.audit(VIOLATING)
    for name in TABLES:
        table = getattr(audit, name)
        assert isinstance(table, pd.DataFrame)
        assert len(table)
        times = [column for column in table if column in ("start", "end", "first_seen", "last_seen")]
        assert all(str(table[column].dtype) == "datetime64[ns, UTC]" for column in times)
    assert audit.findings["severity"].cat.ordered
    assert str(audit.flows["vendor"].dtype) == "category"
    assert audit.findings["severity"].max() == "critical"


def test_no_files_are_left_behind(tmp_path: Path) -> None:
    code = (
        "import auditor, sys\n"
        "audit = auditor.audit(sys.argv[1])\n"
        "audit.flows, audit.findings, audit._repr_html_(), audit.compare(audit).findings\n"
    )
    done = python(code, VIOLATING, TMPDIR=str(tmp_path), HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_audits_compare() -> None:
    change = auditor.audit(CLEAN).compare(auditor.audit(VIOLATING))
    assert isinstance(change, auditor.Comparison)
    assert (change.verdict, change.exit_code) == ("worse", 1)
    table = change.findings
    assert set(table["change"]) == {"new"}
    assert list(table["severity_after"]) == list(table["severity"])
    assert str(table["first_seen"].dtype).endswith("UTC]")
    assert change.to_dict()["verdict"] == "worse"


def test_a_comparison_of_the_same_has_an_empty_table_with_all_columns() -> None:
    audit = auditor.audit(VIOLATING)
    table = audit.compare(audit).findings
    assert len(table) == 0
    assert {"change", "fields", "severity", "check", "message"} <= set(table.columns)


def test_a_report_is_written_in_the_format_of_its_suffix(tmp_path: Path) -> None:
    audit = auditor.audit(VIOLATING)
    audit.report(tmp_path / "r.json")
    audit.report(tmp_path / "r.dat", format="csv")
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "violations"
    assert (tmp_path / "r.dat").read_text().count("\n") == len(audit.findings) + 1
    with pytest.raises(auditor.AuditorError, match="names no format"):
        audit.report(tmp_path / "r.dat")


def test_display_shows_verdict_and_findings() -> None:
    audit = auditor.audit(VIOLATING)
    page = Page(audit._repr_html_())
    assert "violations" in page.words
    assert all(check in page.words for check in audit.findings["check"])
    assert set(page.tags) <= {"div", "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert page.attributes == ["class"]
    assert repr(audit).startswith("<Audit of ")


HOSTILE = '<script>alert(1)</script>"&\x1b[31m\u202e'


def test_what_comes_from_captures_is_harmless_in_the_display(tmp_path: Path) -> None:
    capture = tmp_path / f"{HOSTILE.replace('/', '')}.pcapng"
    capture.write_bytes(VIOLATING.read_bytes())
    audit = auditor.audit(capture)
    for text in (audit_html(audit), comparison_html(audit.compare(auditor.audit(CLEAN)))):
        assert "<script" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "script" not in Page(text).tags


PLOTTED = {
    "timeline": ("sessions", "findings", "backup", "support", "critical (1)", "high (2)", "2026-03-02, UTC"),
    "traffic": ("control", "data", "support", "return", "inbound", "unpublished", "45.0 kB", "2026-03-02, UTC"),
    "matrix": ("clients", "servers", "10.1.2.3", "66.241.7.9", "96.231.233.4", "C critical", "M medium", "i info"),
    "ports": ("port", "drbackup", "securidata", "16384", "published", "used, published", "used, not published"),
    "health": ("captures: from the first packet to the last", "drbackup-violating.pcapng", "200 packets, read whole"),
}
"""What a reader of each plot has to find in it: titles, axes, legends, names, numbers."""


MARKED = {
    "timeline": {BLUE: 1, PURPLE: 1, SEVERITY_COLOURS["critical"]: 1, SEVERITY_COLOURS["high"]: 2},
    "traffic": {BLUE: 1, PURPLE: 1, SKY: 1},
    "matrix": {SEVERITY_COLOURS["critical"]: 1, SEVERITY_COLOURS["medium"]: 1, SEVERITY_COLOURS["info"]: 1},
    "ports": {BLUE: 2, RED: 3, ORANGE: 2, GREY: 8},
    "health": {BLUE: 1, GREY: 1},
}
"""Colours, and in how many places of the drawing they are at least; legends aside."""


@pytest.mark.parametrize("name", PLOTTED)
def test_each_plot_of_an_audit_is_drawn_with_its_words_and_marks(name: str) -> None:
    drawing = etree.fromstring(svg_of(getattr(auditor.audit(VIOLATING).plot, name)()).encode())
    texts = list(drawing.iter("{*}text"))
    words = [" ".join("".join(text.itertext()).split()) for text in texts]
    assert [word for word in PLOTTED[name] if word not in words] == []
    _, _, width, height = map(float, drawing.get("viewBox", "").split())
    assert all(0 <= float(text.get("x", "")) <= width and 0 <= float(text.get("y", "")) <= height for text in texts)
    for legend in drawing.xpath("//*[starts-with(@id, 'legend')]"):
        legend.getparent().remove(legend)
    shapes = drawing.iter("{*}path", "{*}use", "{*}rect")
    styles = [f"{shape.get('style')} fill: {shape.get('fill')}" for shape in shapes]
    for colour, count in MARKED[name].items():
        assert sum(f"fill: {colour}" in style for style in styles) >= count, colour


@pytest.mark.parametrize("name", PLOTTED)
def test_no_two_words_of_a_plot_stand_on_each_other_and_none_is_cut(name: str) -> None:
    figure = getattr(auditor.audit(VIOLATING).plot, name)()
    drawn = etree.fromstring(svg_of(figure).encode()).xpath("//*[local-name() = 'text']/text()")
    FigureCanvasAgg(figure).draw()
    # axes have labels for places beyond their ends too, which are not drawn
    shown = [one for one in figure.findobj(Text) if one.get_visible() and one.get_text() in drawn]
    boxes = [(one.get_text(), one.get_window_extent()) for one in shown if not one.get_rotation()]
    assert len(boxes) > 5
    for at, (text, box) in enumerate(boxes):
        assert figure.bbox.padded(1).containsx(box.x0), text
        assert figure.bbox.padded(1).containsx(box.x1), text
        assert [other for other, place in boxes[at + 1 :] if box.overlaps(place)] == [], text


def test_plots_are_found_by_name() -> None:
    audit = auditor.audit(VIOLATING)
    assert set(dir(audit.plot)) == set(PLOTTED) == set(plots.NAMES)
    with pytest.raises(AttributeError, match="there are health, matrix, ports, timeline, traffic"):
        audit.plot.pie()


def test_public_names_can_be_imported() -> None:
    for name in auditor.__all__:
        assert getattr(auditor, name) is not None


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_a_plain_call_imports_nothing_of_evidence_comparison_or_notebooks(command: str) -> None:
    code = "import sys\nfrom auditor.cli._main import run\nrun(sys.argv[1:])\nprint(*sys.modules, file=sys.stderr)"
    loaded = set(python(code, command, CAPTURES / "drbackup-violating.pcapng").stderr.split())
    assert "auditor._engine" in loaded
    heavy = {"pyarrow", "nbclient", "nbconvert", "matplotlib", "asyncio", "zipfile", "subprocess"}
    ours = {"evidence", "comparison", "flowstore", "whatif", "notebookrun", "notebookview", "plotting", "reportfile"}
    assert not loaded & (heavy | {f"auditor.{name}" for name in ours})
