"""The shipped packs, checked, in the form that needs no further check."""

from __future__ import annotations

import json
from hashlib import sha256

from auditor.compiled import FORMAT
from auditor.errors import RulePackError
from auditor.generators import Write
from auditor.records import plain
from auditor.rulepack import RULES, RulePack
from auditor.validation.pack import validate_pack


def generate(write: Write) -> None:
    """Raises: RulePackError with the errors of all packs."""
    packs: dict[str, RulePack] = {}
    errors: list[str] = []
    for file in sorted(RULES.glob("*.yaml")):
        content = file.read_bytes()
        try:
            packs[sha256(content).hexdigest()] = validate_pack(content, f"rules/{file.name}")
        except RulePackError as error:
            errors += error.errors
    if errors:
        raise RulePackError(errors)
    stored = {hash: plain(pack) for hash, pack in sorted(packs.items(), key=lambda item: item[1].id)}
    write("auditor/generated/packs.json", json.dumps({"schema": FORMAT, "packs": stored}, ensure_ascii=False, indent=1))
