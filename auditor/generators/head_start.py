"""What an audit with the shipped packs and no site wants to see of the traffic; see `auditor.cli._headstart`."""

from __future__ import annotations

import json
from typing import Any

from auditor.generators import Write
from auditor.rulepack import enable, shipped_packs
from auditor.scan import audit_options
from auditor.site import Site


def generate(write: Write) -> None:
    chosen = {"": (), **{pack.id: (pack.id,) for pack in shipped_packs()}}
    interests = {name: _interest(packs) for name, packs in chosen.items()}
    write("auditor/generated/headstart.json", json.dumps(interests, indent=1))


def _interest(packs: tuple[str, ...]) -> dict[str, Any]:
    options = audit_options(enable(None, packs), Site())
    assert options.listening is not None
    return {"networks": options.networks, "ports": options.ports, **options.listening._asdict()}
