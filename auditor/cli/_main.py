"""From arguments to an exit code; no traceback reaches the user.

0 clean · 1 findings · 2 usage, pack, site or input error · 3 no clean verdict possible   (the command's answer)
70 a bug of ours · 130 Ctrl-C · 141 the reader of our output went away
"""

from __future__ import annotations

import os
import sys

from auditor.errors import AuditorError

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.cli._option import Call

USAGE, BUG, INTERRUPTED, CLOSED_PIPE = 2, 70, 130, 141


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    try:
        try:
            return _run(arguments)
        finally:
            _flush()
    except KeyboardInterrupt:
        _say("auditor: interrupted; nothing was judged")
        return INTERRUPTED
    except BrokenPipeError:
        return _drop_output()
    except AuditorError as error:
        _say(f"auditor: error: {error}" + (f"\n  {error.help}" if error.help else ""))
        return USAGE
    except OSError as error:
        _traceback()
        where = f"{error.filename}: " if error.filename else ""
        _say(f"auditor: error: {where}{error.strerror or error}")
        return USAGE
    except BaseException as bug:  # the only place where a bug of ours may end; a panic of the engine is no Exception
        _traceback()
        _say(_apology(bug))
        return BUG


def _run(arguments: Sequence[str]) -> int:
    from auditor.cli import _headstart

    _headstart.begin_scan(arguments)  # before all other imports
    from auditor.cli import _plain

    call: Call | int | None = _plain.parse(arguments)
    if call is None:
        from auditor.cli import _app

        call = _app.parse(arguments)
    return call if isinstance(call, int) else call()


def _flush() -> None:
    for stream, name in ((sys.stdout, "standard output"), (sys.stderr, "standard error")):
        if stream is not None:
            try:
                stream.flush()
            except OSError as error:
                error.filename = error.filename or name
                raise


def _say(text: str) -> None:
    from auditor.outputs import say

    say(text)


def _drop_output() -> int:
    """Standard output has no reader any more: let nothing write to it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return CLOSED_PIPE


def _traceback() -> None:
    """For us: where the error under way came from, if the environment asks for it."""
    if os.environ.get("AUDITOR_TRACEBACK") == "1":
        import traceback

        traceback.print_exc()


def _apology(bug: BaseException) -> str:
    import platform
    import textwrap

    from auditor._engine import __version__

    frame = bug.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = ""
    if frame is not None:
        file = frame.tb_frame.f_code.co_filename
        place = f" ({os.path.basename(os.path.dirname(file))}/{os.path.basename(file)}:{frame.tb_lineno})"
    return textwrap.fill(
        f"auditor: this is a bug of ours, not of your capture: {type(bug).__name__}: {bug}{place}. No verdict was "
        "reached. Please report it to the maintainers with this paragraph, the command line, "
        f"version {__version__} on Python {platform.python_version()}, {platform.system()} {platform.machine()}, and, "
        "if you may share it, the capture. "
        "With AUDITOR_TRACEBACK=1 in the environment the same command prints the traceback that we need.",
        width=100,
        break_long_words=False,
        break_on_hyphens=False,
    )
