"""The shipped packs, checked beforehand.

`generated/packs.py` holds every pack of the `rules` folder under the SHA-256 of its file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.rulepack import RulePack


def compiled_pack(content: bytes) -> RulePack | None:
    """The pack in a YAML file's bytes, if just these bytes were checked when the packs were generated."""
    from auditor.hashing import sha256_hex

    try:
        from auditor.generated.packs import PACKS
    except ModuleNotFoundError:  # before the first run of the generator
        return None
    return PACKS.get(sha256_hex(content))
