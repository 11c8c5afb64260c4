"""The program: `auditor …` and `python -m auditor …`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process and end it with the contract's exit code."""
    from auditor.cli._main import run

    code = run(sys.argv[1:])
    # Everything is flushed and closed by now. Taking the interpreter apart would cost 10 ms more, and an engine thread
    # that still reads (after Ctrl-C) must not meet an interpreter that is half gone.
    os._exit(code)


if __name__ == "__main__":
    main()
