"""What an audit with the shipped packs and no site wants to see of the traffic; see `auditor.cli._headstart`."""

from __future__ import annotations

import json

from auditor.generators import Write
from auditor.rulepack import enable, shipped_packs
from auditor.scan import audit_options
from auditor.site import Site


def generate(write: Write) -> None:
    chosen = {"": (), **{pack.id: (pack.id,) for pack in shipped_packs()}}
    options = {name: audit_options(enable(None, packs), Site()) for name, packs in chosen.items()}
    interests = {name: {"networks": one.networks, "ports": one.ports} for name, one in options.items()}
    write("auditor/generated/headstart.json", json.dumps(interests, indent=1))
