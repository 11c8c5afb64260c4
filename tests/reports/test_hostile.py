"""Whatever a stranger calls a host, a file or a capture: no report obeys it, in any format."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from audits import SITE, hostile, written
from lxml import etree
from program import CAPTURES, VIOLATING

import auditor
from auditor import reports
from auditor.result import Audit

NAMES = CAPTURES / "checks" / "proxy-target-outside-published-fires-names.pcap"
TEXTS = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "closing": "</style></svg></code></td>]]>--><iframe src=//192.0.2.1>",
    "terminal": "\x1b[31mred\x1b]0;title\x07\x9b2J\r\n\b",
    "bidi": "invoice\u202egnp.exe\u2066\u200f\ufeff",
    "formula": "=cmd|' /C calc'!A0",
    "formulas": "@SUM(1)\t+1\n-1",
    "link": "[click](http://192.0.2.1/) www.example.net ![x](http://192.0.2.1/x.png) @everyone",
    "markdown": "`code` **bold** | cell | $x^2$ # head \\",
    "mathtext": r"$\frac{1}{2}$ 100 % {0} {x}",
    "surrogate": "half \ud800 of a pair",
    "long": "x" * 5000,
}
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "article", "nav", "figure"),
    *("figcaption", "div", "span", "p", "h1", "h2", "h3", "ul", "li", "dl", "dt", "dd", "a", "code", "b", "strong"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("svg", "defs", "g", "path", "rect", "use", "text", "tspan", "clippath", "pattern", "image"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    site = tmp_path_factory.mktemp("site") / "site.yaml"
    site.write_text(SITE)
    return auditor.audit(VIOLATING, site=site)


@pytest.mark.parametrize("format", reports.formats())
@pytest.mark.parametrize("name", TEXTS)
def test_no_format_obeys_what_a_name_says(format: str, name: str, report: Audit) -> None:
    whole = written(format, hostile(report, TEXTS[name]))
    _check(format, whole)


@pytest.mark.parametrize("format", reports.formats())
def test_a_host_name_in_a_capture_is_harmless_in_every_format(format: str, tmp_path: Path) -> None:
    capture = tmp_path / "names.pcap"
    for name in (b"<script>a()\x1b[1m\x07</", b"=\xe2\x80\xae<b>$x|`&]\x1b]0;"):
        capture.write_bytes(NAMES.read_bytes().replace(b"backup.example.net", name.ljust(18, b"x")[:18]))
        _check(format, written(format, auditor.audit(capture)))


def _check(format: str, whole: bytes) -> None:
    is_text = format != "parquet"
    shown = whole.decode() if is_text else json.dumps(_parquet(whole), ensure_ascii=False, default=str)
    assert not OBEYED.search(shown)
    READERS.get(format, lambda text: None)(shown)


def _html(text: str) -> None:
    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in TAGS, tag
            for key, value in attrs:
                assert not key.startswith("on")
                if key in ("href", "xlink:href", "src"):
                    assert (value or "").startswith("#")

    Reader().feed(text)


def _markdown(text: str) -> None:
    for line in text.splitlines():
        outside = re.sub(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)", "", line)
        outside = re.sub(r"\\[\\`*_\[\]<>#!~&$@|]", "", outside)
        assert "<" not in outside
        assert "](" not in outside
        assert "://" not in outside


def _xml(text: str) -> None:
    root = etree.fromstring(text.encode())
    known = {"testsuites", "testsuite", "testcase", "failure", "skipped", "system-out", "properties", "property"}
    assert {element.tag for element in root.iter()} == known


def _csv(text: str) -> None:
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


def _lines(text: str) -> None:
    for line in text.splitlines():
        json.loads(line)


READERS: dict[str, Any] = {
    "html": _html,
    "markdown": _markdown,
    "junit": _xml,
    "csv": _csv,
    "json": json.loads,
    "jsonl": _lines,
    "sarif": json.loads,
    "eve": _lines,
    "ecs": _lines,
}


def _parquet(content: bytes) -> list[dict[str, Any]]:
    import pyarrow.parquet

    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    return rows


def test_every_format_with_a_grammar_is_read_by_its_grammar() -> None:
    assert set(reports.formats()) - set(READERS) == {"parquet", "table"}
