"""What an audit with the shipped packs and no site wants to see of the traffic; see `auditor.cli._headstart`."""

from __future__ import annotations

import json

from auditor.generators import Write
from auditor.rulepack import enable, shipped_packs
from auditor.scan import audit_options
from auditor.site import Site

# A module, for it is imported in a tenth of the time that importing json takes.
HEAD = '''"""What audits with the shipped packs and no site want to see of the traffic. Generated."""

# fmt: off
# ruff: noqa: E501
# by pack, "" for all: networks, ports, conversations, samples, names
INTERESTS = {
'''


def generate(write: Write) -> None:
    chosen = {"": (), **{pack.id: (pack.id,) for pack in shipped_packs()}}
    interests = {name: _interest(packs) for name, packs in chosen.items()}
    lines = [f"    {json.dumps(name)}: {_literal(interest)},\n" for name, interest in interests.items()]
    write("auditor/generated/headstart.py", HEAD + "".join(lines) + "}\n")


def _interest(packs: tuple[str, ...]) -> tuple[object, ...]:
    options = audit_options(enable(None, packs), Site())
    heard = options.listening
    assert heard is not None
    return (options.networks, options.ports, heard.conversations, heard.samples, heard.names)


def _literal(value: object) -> str:
    """As Python reads it, with the quotes that ruff wants."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    return json.dumps(value)
