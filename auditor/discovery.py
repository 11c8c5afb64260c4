"""Open folders: adding a file adds a check, a report, a command; no list is edited.

A file that begins with an underscore, and a folder's `base.py`, is machinery. What a file adds has an id; the
file's name is that id with underscores for hyphens, so the ids are known without importing anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

MACHINERY = ("base",)


def ids(package: str) -> list[str]:
    """Ids of what the folder holds, sorted; nothing is imported but the package itself."""
    return [name.replace("_", "-") for name in _names(package)]


def modules(package: str) -> Iterator[tuple[str, ModuleType]]:
    """(id, module) for each file of the folder, sorted by id."""
    for name in _names(package):
        yield name.replace("_", "-"), import_module(f"{package}.{name}")


def instances(package: str, kind: type, attribute: str = "id") -> list[object]:
    """One object of each subclass of `kind` that a file of the folder defines, sorted by id.

    Raises: TypeError, naming both files, where an id is used twice; also where it does not fit its file's name.
    """
    found: dict[str, tuple[object, str]] = {}
    for expected, module in modules(package):
        for value in vars(module).values():
            if not isinstance(value, type) or not issubclass(value, kind) or value.__module__ != module.__name__:
                continue
            if not hasattr(value, attribute):
                continue  # a base that the file's own classes share
            name = getattr(value, attribute)
            file = str(module.__file__)
            if name in found:
                raise TypeError(f"{kind.__name__} {name!r} is defined in {found[name][1]} and again in {file}")
            if name != expected:
                raise TypeError(
                    f"{file} defines {kind.__name__} {name!r}; expected {expected!r}, as the file is called"
                )
            found[name] = (value(), file)
    return [found[name][0] for name in sorted(found)]


def _names(package: str) -> list[str]:
    """Names of the folder's modules, sorted by id."""
    folder = import_module(package)
    files = [os.path.splitext(file) for path in folder.__path__ for file in os.listdir(path)]
    return sorted(name for name, suffix in files if suffix == ".py" and name[0] != "_" and name not in MACHINERY)
