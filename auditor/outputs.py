"""Where results go: standard output, or the files named by `-o`, each in its format.

A file appears whole or not at all: it is written beside its name and moved there when it is complete. Whether it can
be written is known before the captures are read.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from auditor.errors import AuditorError
from auditor.lean import NamedTuple
from auditor.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

STDOUT = "-"


class Target(NamedTuple):
    """One output: its file, `-` for standard output, and its format."""

    path: str
    format: str

    @contextmanager
    def open(self) -> Iterator[TextIO]:
        """A text stream to write to. An error leaves no half file and keeps the old one."""
        if self.path == STDOUT:
            with at("standard output"):
                yield _standard_output()
            return
        beside = _beside(self.path)
        try:
            with (
                at(self.path),
                open(beside or self.path, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream,
            ):
                yield stream
            if beside is not None:
                _put_in_place(beside, os.path.realpath(self.path))
        finally:
            if beside is not None and os.path.exists(beside):
                os.unlink(beside)


@contextmanager
def at(place: str) -> Iterator[None]:
    """Errors of writing name the place: the system's own, of a descriptor, name none."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or place
        raise


def plan(
    output: Sequence[str],
    format: str | None,
    suffixes: Callable[[str], Mapping[str, Sequence[str]]],
    inputs: Sequence[str],
    shared: Callable[[], Mapping[str, Sequence[str]]] = dict,
) -> list[Target]:
    """The outputs asked for: each file's format is what its suffix says, or else `format`.

    `suffixes` gives the formats that a file may have, with the endings that mean them; `shared` endings that mean them
    only where `format` says so. Of several files, `format` is that of those whose suffix may mean it; of all, where
    none may.
    Raises AuditorError for a suffix that says nothing, for a file that cannot be written, and for one that is a
    capture to be read.
    """
    fitting: Sequence[str] = output
    if format and len(output) > 1:  # one alone needs no suffix, and no look at any format
        fitting = [path for path in output if _may_mean(path, format, suffixes, shared)] or output
    targets = [
        Target(path, format if format and path in fitting else _format_of(path, suffixes(path))) for path in output
    ]
    for target in targets:
        if target.path != STDOUT:
            _check_writable(target.path, inputs)
    doubled = [target.path for target in targets if [t.path for t in targets].count(target.path) > 1]
    if doubled:
        raise AuditorError(f"-o {doubled[0]} is given twice")
    return targets or [Target(STDOUT, format or "table")]


def _may_mean(
    path: str,
    format: str,
    suffixes: Callable[[str], Mapping[str, Sequence[str]]],
    shared: Callable[[], Mapping[str, Sequence[str]]],
) -> bool:
    endings = (*suffixes("").get(format, ()), *shared().get(format, ()))
    return path == STDOUT or path.lower().endswith(endings)


def _format_of(path: str, formats: Mapping[str, Sequence[str]]) -> str:
    if path == STDOUT:
        return "table"
    endings = {suffix: name for name, suffixes in formats.items() for suffix in suffixes}
    fitting = [suffix for suffix in endings if path.lower().endswith(suffix)]
    if fitting:
        return endings[max(fitting, key=len)]  # .sarif.json says more than .json
    known = ", ".join(sorted(endings))
    raise AuditorError(
        f"-o {path}: its suffix names no format; known are {known}", help=f"say which one, e.g. --format json -o {path}"
    )


def _check_writable(path: str, inputs: Sequence[str]) -> None:
    if os.path.isdir(path):
        raise AuditorError(f"-o {path}: is a folder; expected a file")
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise AuditorError(f"-o {path}: there is no folder {folder}")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise AuditorError(f"-o {path}: cannot be written: permission denied")
    for capture in inputs:
        if os.path.exists(path) and os.path.exists(capture) and os.path.samefile(path, capture):
            raise AuditorError(f"-o {path}: is a capture to be read; the output would destroy it")


def _beside(path: str) -> str | None:
    """The name to write under first; None where only writing in place works (devices, pipes, closed folders)."""
    if os.path.exists(path) and not os.path.isfile(path):
        return None
    target = os.path.realpath(path)
    if not os.access(os.path.dirname(target), os.W_OK):
        return None
    return f"{target}.{os.getpid()}.part"


def _put_in_place(beside: str, target: str) -> None:
    """Give a complete file its name.

    An old file of that name makes way first. Were it replaced in one step, ext4 would send the new one's data to the
    disk at once: 20 ms for 25 MB, a tenth of the time that such a table takes.
    """
    if not os.path.exists(target):
        os.replace(beside, target)
        return
    os.chmod(beside, stat.S_IMODE(os.stat(target).st_mode))
    old = f"{beside}.old"
    try:
        os.rename(target, old)
        os.rename(beside, target)
    finally:
        if os.path.exists(old):
            if os.path.exists(target):
                os.unlink(old)
            else:  # Ctrl-C between the two
                os.rename(old, target)


def _standard_output() -> TextIO:
    if sys.stdout is None:
        raise AuditorError("standard output is closed; give a file with -o")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    return sys.stdout


def say(text: str) -> None:
    """Messages for the user on standard error, harmless for the terminal."""
    if sys.stderr is not None:
        print("\n".join(printable(line) for line in text.splitlines()), file=sys.stderr, flush=True)
