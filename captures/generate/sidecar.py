"""The facts of a capture that the generator keeps in its sidecar: how many frames, which hash.

All else in a sidecar is written by hand: what the capture is and what the audit must say of it.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from captures.generate.record import count_frames


def facts(capture: bytes) -> dict[str, str]:
    """Line name → value, as they stand in the sidecar."""
    return {"frames": str(count_frames(capture)), "sha256": hashlib.sha256(capture).hexdigest()}


def stored_facts(capture: Path) -> dict[str, str]:
    """The same lines as the capture's sidecar has them. Raises: FileNotFoundError without a sidecar."""
    text = capture.with_suffix(".yaml").read_text()
    return dict(re.findall(r"^(frames|sha256): (\S+)$", text, re.MULTILINE))


def update(path: Path, capture: bytes) -> bool:
    """Write the capture's facts into its sidecar, between the hand-written lines. False: there is no sidecar yet."""
    sidecar = path.with_suffix(".yaml")
    if not sidecar.exists():
        return False
    text = sidecar.read_text()
    for name, value in facts(capture).items():
        text, found = re.subn(rf"^{name}:.*$", f"{name}: {value}", text, flags=re.MULTILINE)
        if found != 1:
            raise ValueError(f"{sidecar}: expected one line `{name}:`, there were {found}; nothing was written")
    sidecar.write_text(text)
    return True
