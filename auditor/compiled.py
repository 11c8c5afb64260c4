"""The shipped packs, checked beforehand.

`generated/packs.json` holds every pack of the `rules` folder under the SHA-256 of its file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from auditor.rulepack import RulePack

PACKS: Final = Path(__file__).parent / "generated" / "packs.json"
FORMAT: Final = "auditor.packs/1"


def compiled_pack(content: bytes) -> RulePack | None:
    """The pack in a YAML file's bytes, if just these bytes were checked when the packs were generated."""
    packs = _packs()
    if not packs:
        return None
    from auditor.hashing import sha256_hex

    entry = packs.get(sha256_hex(content))
    if entry is None:
        return None
    from auditor.records import build
    from auditor.rulepack import RulePack

    return build(RulePack, entry)


@cache
def _packs() -> dict[str, Any]:
    import json

    try:
        stored = json.loads(PACKS.read_bytes())
    except FileNotFoundError:  # before the first run of the generator
        return {}
    packs: dict[str, Any] = stored["packs"] if stored["schema"] == FORMAT else {}
    return packs
