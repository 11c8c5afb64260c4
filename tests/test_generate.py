from __future__ import annotations

from pathlib import Path

import pytest

from auditor import generate


def test_nothing_generated_is_stale() -> None:
    assert generate.stale(generate.generated()) == {}


def test_what_a_run_would_do_is_told_by_file(tmp_path: Path) -> None:
    folder = tmp_path / generate.OWNED[0]
    folder.mkdir(parents=True)
    for name in ("same", "old", "orphan"):
        (folder / name).write_text("text\n")
    texts = {
        f"{generate.OWNED[0]}/{name}": text for name, text in [("same", "text\n"), ("old", "new\n"), ("more", "x\n")]
    }
    assert generate.stale(texts, tmp_path) == {
        f"{generate.OWNED[0]}/more": "new",
        f"{generate.OWNED[0]}/old": "changed",
        f"{generate.OWNED[0]}/orphan": "removed",
    }


def test_check_fails_on_stale_files_and_changes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "generated", lambda: {"auditor/generated/a": "text\n"})
    monkeypatch.setattr(generate.stale, "__defaults__", (tmp_path,))
    assert generate.main(["--dry-run"]) == 0
    assert generate.main(["--check"]) == 1
    assert not (tmp_path / "auditor").exists()
    assert generate.main([]) == 0
    assert (tmp_path / "auditor/generated/a").read_text() == "text\n"
    assert generate.main(["--check"]) == 0
    assert generate.main(["--chek"]) == 2
    assert "1 generated files are stale" in capsys.readouterr().err
