"""What the `rules` commands show, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from auditor.addresses import AddressRange
from auditor.errors import AuditorError, RulePackError
from auditor.frozen import frozen
from auditor.pack_checks import Remark, check_packs
from auditor.ports import PortRange
from auditor.records import plain
from auditor.rulepack import RulePack, find_pack, load_pack, shipped_files, shipped_packs

SCHEMAS: Final = Path(__file__).parent / "generated"


@frozen
class PackSummary:
    """A line of `rules list`."""

    id: str
    title: str
    version: str
    ports: str
    """Ports of all services, as `21, 211, 20000-60000`."""
    networks: str
    statements: int
    features: str


@frozen
class Verdict:
    """What `rules check` found."""

    packs: tuple[str, ...]
    """Ids of the packs that are valid by themselves."""
    errors: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def valid(self) -> bool:
        return not self.errors


def list_packs() -> list[PackSummary]:
    """The shipped packs, sorted by id. Raises: RulePackError."""
    return [_summary(pack) for pack in shipped_packs()]


def show_pack(name_or_path: str) -> dict[str, Any]:
    """A pack with everything in it, as plain JSON values; ranges in the vendor's form.

    Raises: RulePackError; AuditorError for an unknown id.
    """
    shown: dict[str, Any] = plain(find_pack(name_or_path), shown=(AddressRange, PortRange))
    return shown


def check_rules(names: Sequence[str] = ()) -> Verdict:
    """Errors and notes of the packs `names` (ids or files), each by itself and all together; none: the shipped ones.

    Nothing is raised for a pack that is wrong: its errors are part of the answer.
    """
    packs: list[RulePack] = []
    errors: list[str] = []
    for name in names or shipped_files():
        try:
            packs.append(find_pack(name) if names else load_pack(name))
        except RulePackError as error:
            errors += error.errors
        except AuditorError as error:
            errors.append(str(error))
    remarks = check_packs(packs)
    errors += [_line(remark) for remark in remarks if remark.error]
    notes = [_line(remark) for remark in remarks if not remark.error]
    return Verdict(tuple(pack.id for pack in packs), tuple(errors), tuple(notes))


def schema(kind: Literal["rule-pack", "site", "monitor"] = "rule-pack") -> str:
    """The JSON Schema of a document, as text."""
    return (SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8")


def _summary(pack: RulePack) -> PackSummary:
    ports = dict.fromkeys(str(ports) for service in pack.services for ports in service.ports)
    return PackSummary(
        id=pack.id,
        title=pack.title,
        version=pack.version,
        ports=", ".join(ports),
        networks=", ".join(str(item) for item in pack.published),
        statements=len(pack.statements),
        features=", ".join(pack.features),
    )


def _line(remark: Remark) -> str:
    return f"{remark.pack}: {remark.place}: {remark.message}"
