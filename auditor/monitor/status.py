"""The status of a watch, as a file that the watch rewrites and `auditor status` reads."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from auditor.errors import AuditorError

SCHEMA: Final = "auditor.status/1"
WRITE_SECONDS: Final = 2.0
STALE_SECONDS: Final = 30.0
"""A status that is older, of a watch that should run, means that it hangs: it is written every two seconds."""
MAX_BYTES: Final = 1 << 20


def write_status(path: str, status: Mapping[str, Any]) -> None:
    """Replace the file in one step: who reads sees the old one or the new one. Raises: OSError."""
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(status, file, default=str)
        os.replace(beside, path)
    finally:
        if os.path.exists(beside):
            os.unlink(beside)


def read_status(path: str) -> dict[str, Any]:
    """The status in a file, with what is seen from outside: `alive`, `age` in seconds, and `troubles`.

    Raises: AuditorError where there is none.
    """
    try:
        with open(path, encoding="utf-8") as file:
            status = json.loads(file.read(MAX_BYTES))
        if status["schema"] != SCHEMA:
            raise ValueError
        process, began = int(status["pid"]), status["process_start"]
        written, state = float(status["written"]), status["state"]
    except FileNotFoundError:
        raise AuditorError(
            f"{path}: there is no status", help="no watch runs there, or it keeps its status elsewhere: --file"
        ) from None
    except OSError as error:
        raise AuditorError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise AuditorError(f"{path}: is no status of a watch") from None
    alive = state != "stopped" and process_start(process) == began
    age = max(0.0, time.time() - written)
    troubles = list(status.get("troubles", []))
    if state == "stopped":
        troubles.insert(0, "the watch was stopped")
    elif not alive:
        troubles.insert(0, f"process {process} is gone: the watch ended without a word")
    elif age > STALE_SECONDS:
        troubles.insert(0, f"the watch has said nothing for {age:.0f} seconds")
    return {**status, "alive": alive, "age": round(age, 1), "troubles": troubles}


def process_start(process: int) -> str | None:
    """When a process began, as the kernel counts; None: there is none. It tells a process from a later one."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()[19]  # proc(5): field 22, after the name, which may hold blanks
