"""Command line of the generator: `python -m captures.generate`, or `python captures/generate`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

if not __package__:  # started by its path: the import root is the folder above `captures`
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from captures.generate.recipe import CAPTURES, Recipe, recipes
from captures.generate.sidecar import facts, stored_facts, update


def main() -> int:
    """0: done; 1: --check found a difference; 2: no such recipe."""
    parser = argparse.ArgumentParser(prog="captures.generate", description="Make the sample captures again.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="recipes, shell patterns allowed; none: all")
    parser.add_argument("--list", action="store_true", help="name the recipes and make nothing")
    parser.add_argument("--check", action="store_true", help="compare with what is stored and write nothing")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write there, and leave the sidecars alone")
    options = parser.parse_args()
    chosen = [recipe for recipe in recipes() if not options.names or _named(recipe, options.names)]
    if not chosen:
        print(f"no recipe is named {' or '.join(options.names)}; --list shows them", file=sys.stderr)
        return 2
    if options.list:
        for recipe in chosen:
            print(f"{'edge' if recipe.repeatable else 'lab ':4} {recipe.name}")
        return 0
    if options.check:
        return _check(chosen)
    for recipe in chosen:
        _write(recipe, options.output)
    return 0


def _named(recipe: Recipe, patterns: Sequence[str]) -> bool:
    return any(fnmatch(recipe.name, pattern) or fnmatch(Path(recipe.name).stem, pattern) for pattern in patterns)


def _write(recipe: Recipe, folder: Path | None) -> None:
    capture = recipe.make()
    path = (folder or CAPTURES) / recipe.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(capture)
    remark = ""
    if folder is None and not update(path, capture):
        remark = "  (no sidecar yet)"
    print(f"{path}: {facts(capture)['frames']} frames, {len(capture)} bytes{remark}")


def _check(chosen: Sequence[Recipe]) -> int:
    """Sidecars fit their captures, and what can be repeated to the byte is made again and compared."""
    wrong = 0
    for recipe in chosen:
        stored = recipe.path.read_bytes() if recipe.path.exists() else b""
        if not stored:
            print(f"{recipe.name}: the recipe's capture is missing")
        elif not recipe.path.with_suffix(".yaml").exists():
            print(f"{recipe.name}: it has no sidecar")
        elif recipe.repeatable and recipe.make() != stored:
            print(f"{recipe.name}: the recipe makes other bytes than are stored")
        elif facts(stored) != stored_facts(recipe.path):
            print(f"{recipe.name}: sidecar says {stored_facts(recipe.path)}, the capture is {facts(stored)}")
        else:
            continue
        wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
