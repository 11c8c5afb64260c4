"""Whatever a stranger calls a host, a file or a capture: no report obeys it, in any format."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from audits import SITE, hostile, written
from lxml import etree
from program import CAPTURES, VIOLATING, run

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
    """By what is written, not by a list of formats: one that is new is held to the grammar that it seems to have."""
    if whole.startswith(b"PAR1"):
        whole = json.dumps(_parquet(whole), ensure_ascii=False, default=str).encode()
    shown = whole.decode()
    assert not OBEYED.search(shown)
    assert len(shown) > 100
    for read in _grammars(shown, reports.suffixes()[format]):
        read(shown)


def _grammars(text: str, suffixes: Sequence[str]) -> Iterator[Callable[[str], object]]:
    """What reads such a text, by how it begins or what its files are called."""
    if text.lower().startswith(("<!doctype html", "<html")):
        yield _html
    elif text.startswith("<"):
        yield _xml
    elif text.startswith(("{", "[")):
        yield _json
    for suffix in suffixes:
        yield from {".csv": [_csv], ".md": [_markdown]}.get(suffix, [])


def test_texts_are_held_to_the_grammar_that_they_have() -> None:
    known = {
        format: list(_grammars(written(format, auditor.audit(VIOLATING)).decode("utf-8", "replace"), suffixes))
        for format, suffixes in reports.suffixes().items()
    }
    assert known["html"] == [_html]
    assert known["junit"] == [_xml]
    assert known["csv"] == [_csv]
    assert known["markdown"] == [_markdown]
    assert all(known[format] == [_json] for format in ("json", "jsonl", "sarif", "eve", "ecs"))


@pytest.mark.parametrize("read", ["html", "xml", "json", "csv", "markdown"])
def test_the_grammars_find_faults_where_there_are_some(read: str) -> None:
    faults = {
        "html": "<!DOCTYPE html><p><script>alert(1)</script>",
        "xml": "<testsuites><b/></testsuites>",
        "json": '{"a": "\n"}',
        "csv": "a,b\n=1,2\n",
        "markdown": "a <b>c</b>",
    }
    with pytest.raises((AssertionError, ValueError)):
        globals()[f"_{read}"](faults[read])


COMMANDS = (
    ("audit", "CAPTURE"),
    ("compare", "CAPTURE", VIOLATING),
    ("whatif", "CAPTURE", "--pack", "drbackup"),
    ("flows", "CAPTURE"),
    ("explain", "FINDING", "CAPTURE", "--report", "REPORT"),
    ("extract", "CAPTURE", "-o", "COPY"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: str(words[0]))
def test_a_host_name_in_a_capture_is_harmless_in_what_every_command_says(words: Any, tmp_path: Path) -> None:
    capture, report = tmp_path / "names\x1b[31m\u202e.pcap", tmp_path / "r.json"
    capture.write_bytes(
        NAMES.read_bytes().replace(b"backup.example.net", b"<i>\x1b[1m\x07\xe2\x80\xae".ljust(18, b"x"))
    )
    assert run("audit", capture, "-o", report).returncode == 1
    named = {
        "CAPTURE": capture,
        "REPORT": report,
        "FINDING": json.loads(report.read_text())["findings"][0]["id"],
        "COPY": tmp_path / "x.pcapng",
    }
    done = run(*(named.get(word, word) for word in words))
    assert done.returncode in (0, 1, 3), done.stderr
    assert done.stdout
    assert not OBEYED.search(done.stdout + done.stderr)


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


def _json(text: str) -> None:
    """One document, or one in each line."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        for line in text.splitlines():
            json.loads(line)


def _parquet(content: bytes) -> list[dict[str, Any]]:
    import pyarrow.parquet

    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    return rows
