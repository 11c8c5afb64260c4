"""The page, as a browser shows it and as it is written."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from audits import SITE, enormous, hostile, written
from playwright.sync_api import Browser, Page, sync_playwright
from program import CAPTURES, CLEAN, VIOLATING, python, run

import auditor
from auditor import plots
from auditor.page.findings import IN_FULL, IN_LINES

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
VIEWS = [
    *(("violating", width, scheme) for width in (1280, 390) for scheme in ("light", "dark")),
    *(
        (name, width, scheme)
        for name in ("incomplete", "clean", "hostile")
        for width, scheme in ((1280, "light"), (390, "dark"))
    ),
]
LARGEST = 5_000_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")  # as Debian and others call it


@dataclass
class Shown:
    """A page in the browser, and what the browser had to say."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, "no chromium; .ci/run installs it"
    with sync_playwright() as playwright:
        # without a sandbox, since tests run as root in containers; the pages are ours
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A violating sample with a site and waivers, an incomplete one, a clean one, and one of a stranger's making."""
    folder = tmp_path_factory.mktemp("pages")
    site = folder / "site.yaml"
    site.write_text(SITE)
    violating = auditor.audit(VIOLATING, site=site)
    audits = {
        "violating": violating,
        "incomplete": auditor.audit([CLEAN, CAPTURES / "checks" / "capture-incomplete-fires-dropped.pcapng"]),
        "clean": auditor.audit(CLEAN),
        "hostile": hostile(
            violating, "</td><script>document.title='obeyed'</script><img src=//192.0.2.1 onerror=alert(1)>"
        ),
    }
    found = {}
    for name, report in audits.items():
        found[name] = folder / f"{name}.html"
        found[name].write_bytes(written("html", report))
    return found


def show(browser: Browser, path: Path, width: int, scheme: Any) -> Shown:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    shown = Shown(context.new_page())
    shown.page.on("console", lambda message: shown.console.append(message.text))
    shown.page.on("pageerror", lambda error: shown.console.append(str(error)))
    shown.page.on("request", lambda request: shown.requests.append(request.url))
    shown.page.goto(path.as_uri())
    return shown


@pytest.mark.parametrize(("name", "width", "scheme"), VIEWS)
def test_the_page_asks_for_nothing_fits_its_width_and_can_be_used_by_everybody(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    shown = show(browser, pages[name], width, scheme)
    assert shown.requests == [pages[name].as_uri()]
    assert shown.console == []
    assert shown.page.title() != "obeyed"
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    # tables fit too; plots alone may be slid sideways on a telephone
    sliding = "[...document.querySelectorAll('.wide:not(.plot .wide)')].filter(e => e.scrollWidth > e.clientWidth)"
    assert name == "hostile" or shown.page.evaluate(f"{sliding}.map(e => e.getAttribute('aria-label'))") == []
    shown.page.evaluate(AXE)
    violations = shown.page.evaluate("axe.run().then(result => result.violations)")
    worst = [
        (rule["id"], [node["html"][:120] for node in rule["nodes"]])
        for rule in violations
        if rule["impact"] in ("serious", "critical")
    ]
    assert worst == []
    shown.page.context.close()


def test_the_rules_find_faults_where_there_are_some(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text("<html><body><p style='color:#999;background:#888'>text</p><img src=''></body></html>")
    shown = show(browser, path, 390, "light")
    shown.page.evaluate(AXE)
    found = shown.page.evaluate("axe.run().then(result => result.violations)")
    assert {"color-contrast", "image-alt"} <= {rule["id"] for rule in found}
    shown.page.context.close()


def test_on_paper_the_page_is_light_whatever_the_reader_prefers(browser: Browser, pages: dict[str, Path]) -> None:
    shown = show(browser, pages["violating"], 1280, "dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    assert shown.page.evaluate(colour) == "rgb(20, 23, 27)"
    shown.page.emulate_media(media="print", color_scheme="dark")
    assert shown.page.evaluate(colour) == "rgb(255, 255, 255)"
    shown.page.context.close()


def test_the_page_has_every_part_and_every_finding() -> None:
    report = auditor.audit(VIOLATING)
    page = written("html", report).decode()
    for anchor in ("health", "findings", "coverage", "plots", "sessions", "traffic", "manifest"):
        assert page.count(f'id="{anchor}"') == 1
        assert f'href="#{anchor}"' in page
    for finding in report.judged.findings:
        assert f'id="finding-{finding.id}"' in page
    assert page.index('id="health"') < page.index('id="findings"') < page.index('id="coverage"')
    assert page.count("<svg") == len(plots.NAMES)
    assert not re.search(r"<script|<link|<iframe|url\(['\"]?http|src=", page)


def test_no_name_is_given_twice_in_a_page() -> None:
    names = re.findall(r'\sid="([^"]*)"', written("html", auditor.audit(VIOLATING)).decode())
    assert len(names) == len(set(names))


def test_without_matplotlib_the_page_is_whole_and_says_so(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None; from auditor.cli._main import run;"
        "sys.exit(run(['audit', sys.argv[1], '-o', sys.argv[2]]))"
    )
    out = tmp_path / "report.html"
    done = python(code, VIOLATING, out)
    assert (done.returncode, done.stderr) == (1, "")
    page = out.read_text()
    assert "<svg" not in page
    assert "auditor[plot]" in page.replace("&#x27;", "'")
    assert 'id="manifest"' in page


def test_the_report_of_ten_thousand_findings_and_a_million_flows_stays_small() -> None:
    report = enormous(VIOLATING, findings=10_000, flows=1_000_000)
    page = written("html", report)
    assert len(page) < LARGEST
    text = page.decode()
    assert text.count("<article") == IN_FULL
    assert f"{10_000 - IN_FULL - IN_LINES:,} more in numbers" in text


def test_a_page_of_the_longest_texts_stays_small_too() -> None:
    report = hostile(enormous(VIOLATING, findings=10_000, flows=1_000), "y" * 1000)
    assert len(written("html", report)) < LARGEST


def test_a_pipe_takes_the_page() -> None:
    done = run("audit", VIOLATING, "--format", "html")
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert done.stdout.endswith("</html>\n")
