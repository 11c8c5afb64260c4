"""Open folders, on folders made for the test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor import discovery

BASE = "class Thing:\n    pass\n"
THING = "from {package}.base import Thing\n\n\nclass Found(Thing):\n    id = {name!r}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = tmp_path / "things"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "base.py").write_text(BASE)
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == "things"]:
        del sys.modules[name]


def add(folder: Path, file: str, name: str) -> None:
    (folder / f"{file}.py").write_text(THING.format(package="things", name=name))


def found(folder: Path) -> list[object]:
    from things.base import Thing  # type: ignore[import-not-found]

    return discovery.instances("things", Thing)


def test_files_are_found_in_the_order_of_their_ids(folder: Path) -> None:
    add(folder, "b_one", "b-one")
    add(folder, "a_two", "a-two")
    (folder / "_machinery.py").write_text("raise RuntimeError")
    assert discovery.ids("things") == ["a-two", "b-one"]
    assert [thing.id for thing in found(folder)] == ["a-two", "b-one"]  # type: ignore[attr-defined]


def test_ids_are_known_without_importing_the_files(folder: Path) -> None:
    (folder / "broken.py").write_text("raise RuntimeError")
    assert discovery.ids("things") == ["broken"]


def test_duplicate_id_names_both_files(folder: Path) -> None:
    add(folder, "a_two", "a-two")
    text = THING.format(package="things", name="a-two").replace("Found", "Again")
    (folder / "b.py").write_text(text)
    with pytest.raises(TypeError, match=r"a_two\.py and again in .*b\.py"):
        found(folder)


def test_id_has_to_fit_the_file_name(folder: Path) -> None:
    add(folder, "a_two", "a-three")
    with pytest.raises(TypeError, match=r"a_two\.py defines Thing 'a-three'; expected 'a-two'"):
        found(folder)


def test_class_that_was_only_imported_is_not_found_twice(folder: Path) -> None:
    add(folder, "a_two", "a-two")
    (folder / "b.py").write_text("from things.a_two import Found\n")
    assert len(found(folder)) == 1
