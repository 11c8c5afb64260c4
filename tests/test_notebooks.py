"""The notebooks run from top to bottom, hold no output of an earlier run, and become reports."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from program import CLEAN, ROOT, SECONDS, VIOLATING, command, environment, run

from auditor.notebookrun import parse_parameter, run_notebook, shipped

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HIGHLIGHTED = 'class="highlight'  # how a page shows code
each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


def cells(notebook: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]


def test_the_notebooks_that_are_promised_are_shipped() -> None:
    assert shipped() == [path.stem for path in NOTEBOOKS] == ["change_review", "tour"]


@each_notebook
def test_the_notebook_runs_from_top_to_bottom(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(notebook.parent)
    page = run_notebook(str(notebook), {}, code=True)
    assert HIGHLIGHTED in page
    assert page.count("<table") >= 3
    assert "inbound-initiated" in page
    assert "jupyter.stderr" not in page  # no warnings


@each_notebook
def test_the_notebook_is_stored_without_output(notebook: Path) -> None:
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells(notebook))


def test_a_change_review_becomes_one_page_that_needs_nothing(tmp_path: Path) -> None:
    page, home = tmp_path / "change.html", tmp_path / "home"
    home.mkdir()
    words = ("-p", f"before={CLEAN}", "-p", f"after={VIOLATING}", "-o", page)
    done = run("report", "--notebook", "change_review", *words, HOME=str(home))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = page.read_text()
    assert "<h1" in text
    assert "worse" in text
    assert "inbound-initiated" in text
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org/", "")
    assert 'src="http' not in text
    assert HIGHLIGHTED not in text  # the code is left out
    assert list(home.iterdir()) == []


def test_a_folder_that_is_called_like_the_package_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "auditor").mkdir()
    (tmp_path / "auditor" / "__init__.py").write_text("raise ImportError('a clone without its engine')")
    monkeypatch.chdir(tmp_path)
    assert "worse" in run_notebook("change_review", {"before": str(CLEAN), "after": str(VIOLATING)})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--notebook", "change_reviw"), 'did you mean "change_review"'),
        (("--notebook", "change_review", "-p", "befor=x"), 'did you mean "before"'),
        (("--notebook", "change_review", "-p", "before"), "expected name=value"),
        (("--notebook", "nowhere.ipynb"), "there is no such notebook"),
        (("--notebook", "change_review", "-p", "before=nowhere.pcap"), "nowhere.pcap"),
        (("--notebook", "{tmp}/broken.ipynb"), "is no notebook"),
    ],
    ids=["name", "parameter", "value", "file", "capture", "broken"],
)
def test_a_mistake_is_exit_2_and_leaves_no_page(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{}")
    page = tmp_path / "x.html"
    done = run("report", *(word.format(tmp=tmp_path) for word in words), "-o", page)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not page.exists()


def test_ctrl_c_in_the_middle_of_a_cell_is_130_and_leaves_no_page(tmp_path: Path) -> None:
    book, running, page = tmp_path / "long.ipynb", tmp_path / "running", tmp_path / "x.html"
    source = f"import time, pathlib; pathlib.Path({str(running)!r}).touch(); time.sleep(60)"
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
    book.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    words = command("report", "--notebook", book, "-o", page)
    program = subprocess.Popen(words, stderr=subprocess.PIPE, cwd=ROOT, env=environment(), text=True)
    end = time.monotonic() + SECONDS
    while not running.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=SECONDS)
    assert program.returncode == 130
    assert "interrupted" in errors
    assert not page.exists()


def test_parameters_are_read_as_json_where_they_are_json() -> None:
    words = ("a=1", "a=true", "a=null", 'a="1"', "a=x=y.pcap", "a=")
    assert [parse_parameter(word)[1] for word in words] == [1, True, None, "1", "x=y.pcap", ""]
