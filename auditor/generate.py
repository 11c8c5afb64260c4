"""Write the files of this project that are made from others: `python -m auditor.generate [--check | --dry-run]`.

Every file of `auditor/generators/` makes some of them: it has a function `generate(write)`, which calls
`write(path, text)` with a path from the project's root. Adding a generator is adding a file there.

    (nothing)   write what is stale, remove what nothing makes any more
    --dry-run   say what that would be
    --check     the same, and exit 1 if it is anything
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from auditor.discovery import modules
from auditor.errors import AuditorError

ROOT: Final = Path(__file__).resolve().parent.parent
OWNED: Final = ("auditor/generated", "docs/checks")
"""Folders in which everything is generated."""
KEPT: Final = ("__init__.py",)


def generated() -> dict[str, str]:
    """Text of every generated file under its path from the project's root.

    Raises: ValueError where two generators make one file, or a path leads out of the project.
    """
    texts: dict[str, str] = {}
    makers: dict[str, str] = {}
    for name, module in modules("auditor.generators"):

        def write(path: str, text: str, name: str = name) -> None:
            if path in texts:
                raise ValueError(f"{path} is made by the generator {name!r} and by {makers[path]!r}")
            if Path(path).is_absolute() or ".." in Path(path).parts:
                raise ValueError(f"{path}: expected a path below the project's root")
            texts[path], makers[path] = text if text.endswith("\n") else text + "\n", name

        module.generate(write)
    return texts


def stale(texts: dict[str, str], root: Path = ROOT) -> dict[str, str]:
    """What a run would do, by path: `new`, `changed` or `removed`."""
    todo = {}
    for path, text in texts.items():
        file = root / path
        if not file.exists():
            todo[path] = "new"
        elif file.read_bytes() != text.encode():
            todo[path] = "changed"
    for folder in OWNED:
        for file in sorted((root / folder).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.is_file() and path not in texts and file.name not in KEPT and "__pycache__" not in file.parts:
                todo[path] = "removed"
    return dict(sorted(todo.items()))


def main(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    if list(arguments) not in ([], ["--check"], ["--dry-run"]):
        print("usage: python -m auditor.generate [--check | --dry-run]", file=sys.stderr)
        return 2
    if not (ROOT / "pyproject.toml").exists():
        print(f"{ROOT} is not the project's source tree; nothing is generated in an installed package", file=sys.stderr)
        return 2
    try:
        texts = generated()
    except AuditorError as error:
        print(error, file=sys.stderr)
        return 2
    todo = stale(texts)
    for path, what in todo.items():
        print(f"{what} {path}")
    if not arguments:
        _write(texts, todo)
    elif todo and "--check" in arguments:
        print(f"{len(todo)} generated files are stale: run python -m auditor.generate", file=sys.stderr)
        return 1
    return 0


def _write(texts: dict[str, str], todo: dict[str, str]) -> None:
    for path, what in todo.items():
        file = ROOT / path
        if what == "removed":
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(texts[path].encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
