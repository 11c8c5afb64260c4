"""The documents for readers name files, checks and commands that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from program import ROOT, run

DOCUMENTS = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS += sorted((ROOT / "docs").rglob("*.md"))
PYTHON = {path.name for path in (ROOT / "auditor").rglob("*.py")}
RUST = {path.name for path in (ROOT / "engine").rglob("*.rs") if "target" not in path.parts}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
        assert "://" in target or (document.parent / target).exists(), target


def test_the_architecture_names_files_and_folders_that_exist() -> None:
    for name in re.findall(r"`([^`\s]+\.(?:py|rs)|[^`\s]+/)`", (ROOT / "ARCHITECTURE.md").read_text()):
        in_package = (ROOT / "auditor" / name).exists()
        assert in_package or (ROOT / name).exists() or name in PYTHON | RUST, name


def test_the_architecture_has_a_line_for_every_folder_of_the_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    folders = [path.parent for path in (ROOT / "auditor").glob("*/__init__.py")]
    assert folders
    assert all(f"| `auditor/{folder.name}/` |" in text for folder in folders)


def test_the_first_pages_lead_to_all_others() -> None:
    linked = set(re.findall(r"\]\(docs/([^)#]+)", (ROOT / "README.md").read_text()))
    assert linked == {path.name for path in (ROOT / "docs").iterdir() if path.is_file()} | {"checks/README.md"}


@pytest.mark.parametrize("name", ["README.md", "docs/evidence.md", "docs/unattended.md"])
def test_examples_use_commands_and_options_that_exist(name: str) -> None:
    commands = re.findall(r"^(?:.*\| )?auditor (\w+)(.*?)(?:#|$)", (ROOT / name).read_text(), re.MULTILINE)
    assert len(commands) >= 5
    for command, words in commands:
        page = run(command, "--help").stdout
        assert all(option in page for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", words)), (command, words)
