"""The shipped packs, checked, in the form that needs no further check."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from auditor.errors import RulePackError
from auditor.generators import Write
from auditor.rulepack import RulePack, shipped_files
from auditor.validation.pack import validate_pack

# A module, for Python keeps it in a form that is read in a tenth of the time that records take to make from JSON.
HEAD = '''"""Every pack of the `rules` folder as it was checked, by the SHA-256 of its file. Generated."""

# fmt: off
# ruff: noqa
import datetime

from auditor.addresses import AddressRange
from auditor.ports import PortRange
from auditor.rulepack import Encryption, Proxies, Returns, RulePack, Service, Source, Statement

PACKS = {
'''


def generate(write: Write) -> None:
    """Raises: RulePackError with the errors of all packs."""
    packs: dict[str, RulePack] = {}
    errors: list[str] = []
    for path in map(Path, shipped_files()):
        content = path.read_bytes()
        try:
            packs[sha256(content).hexdigest()] = validate_pack(content, f"rules/{path.name}")
        except RulePackError as error:
            errors += error.errors
    if errors:
        raise RulePackError(errors)
    stored = sorted(packs.items(), key=lambda item: item[1].id)
    entries = [f"    {hash!r}: RulePack(\n{''.join(_fields(pack))}    ),\n" for hash, pack in stored]
    write("auditor/generated/packs.py", HEAD + "".join(entries) + "}\n")


def _fields(pack: RulePack) -> list[str]:
    """The fields as Python reads them: a record's text is what makes it."""
    values = [(name, getattr(pack, name)) for name in pack.__match_args__]
    return [f"        {name}={_items(value) if isinstance(value, tuple) else repr(value)},\n" for name, value in values]


def _items(values: tuple[object, ...]) -> str:
    lines = [f"            {value!r},\n" for value in values]
    return f"(\n{''.join(lines)}        )" if lines else "()"
