"""The program: `auditor …` and `python -m auditor …`."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from typing import NoReturn

# Looks for garbage that refers to itself come after so many new objects. An audit makes next to none of it, and at
# Python's 700 the looks took 10 ms of an audit with 900 findings.
GARBAGE_THRESHOLD = 100_000


def main() -> NoReturn:
    """Run the command line of this process and end it with the contract's exit code."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    # numpy multiplies no matrices here, and its library's threads would keep busy the cores that the engine reads with
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from auditor.cli._main import run

    code = run(sys.argv[1:])
    # Everything is flushed and closed by now. Taking the interpreter apart would cost 10 ms more, and an engine thread
    # that still reads (after Ctrl-C) must not meet an interpreter that is half gone.
    os._exit(code)


if __name__ == "__main__":
    main()
