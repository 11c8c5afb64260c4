"""Rule packs: list, show and check them."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias, cast

from auditor.cli._option import Argument, Option
from auditor.errors import AuditorError
from auditor.layout import Page, columns_of
from auditor.terminal import screen_of

FORMATS = ("table", "json")
Document: TypeAlias = Literal["rule-pack", "site", "monitor"]
DOCUMENTS = ("rule-pack", "site", "monitor")

EXAMPLE = """\b
Example:
  auditor rules list
  auditor rules check acme.yaml
"""

FORMAT = Option(f"Output format: {', '.join(FORMATS)}; default: table.", "FORMAT", FORMATS)


def pack_ids() -> Sequence[str]:
    """Ids of the shipped packs, for the shell's completion."""
    from auditor.rulepack import shipped_packs

    return [pack.id for pack in shipped_packs()]


def list_(*, format: Annotated[str, FORMAT] = "table") -> int:
    """List the rule packs that are shipped.

    Example:
      auditor rules list
    """
    from dataclasses import asdict

    from auditor.rules_view import list_packs

    packs = [asdict(pack) for pack in list_packs()]
    if format == "json":
        _print_json(packs)
        return 0
    page = Page(screen_of(sys.stdout))
    for pack in packs:
        page.heading(f"{pack['id']} {pack['version']}: {pack['title']}")
        page.table([[name, str(pack[name]) or "none"] for name in ("ports", "networks", "statements", "features")])
    print(str(page).lstrip("\n"), end="")
    return 0


def show(
    pack: Annotated[str, Argument("Id of a shipped pack, or a pack's file.", "ID|FILE", pack_ids)],
    *,
    format: Annotated[str, FORMAT] = "table",
) -> int:
    """Show what a vendor publishes.

    Example:
      auditor rules show drbackup
    """
    from auditor.rules_view import show_pack

    found = show_pack(pack)
    if format == "json":
        _print_json(found)
        return 0
    page = Page(screen_of(sys.stdout))
    page.text(f"{found['id']} {found['version']}: {found['title']}", indent=0)
    page.text(f"source: {found['source']['document']}")
    page.heading("Networks")
    page.table([[name, _words(ranges)] for name, ranges in found["networks"].items()] or [["none are published", ""]])
    page.heading("Services")
    page.table(columns_of(found["services"], ("id", "role", "direction", "protocols", "ports", "networks"), _words))
    page.heading("Statements")
    page.table(
        [[one["id"], f"{one['what']} ({_words(one['checked_by']) or 'not checked'})"] for one in found["statements"]]
    )
    print(page, end="")
    return 0


def check(
    packs: Annotated[
        tuple[str, ...], Argument("Packs' files or ids; without any, those that are shipped.", "FILE|ID", None, False)
    ] = (),
) -> int:
    """Check rule packs, each by itself and all together.

    Every error is shown with its line.

    Example:
      auditor rules check acme.yaml
    """
    from auditor.rules_view import check_rules

    verdict = check_rules(packs)
    for line in (*verdict.errors, *(f"note: {note}" for note in verdict.notes)):
        print(line, file=sys.stderr)
    if verdict.valid:
        print(f"valid: {', '.join(verdict.packs)}")
    return 0 if verdict.valid else 2


def schema(
    document: Annotated[
        str, Argument("rule-pack, site or monitor.", "DOCUMENT", lambda: DOCUMENTS, False)
    ] = "rule-pack",
) -> int:
    """Print a JSON Schema, for editors that check YAML.

    Example:
      auditor rules schema > rule-pack.schema.json
      auditor rules schema site > site.schema.json
    """
    from auditor.rules_view import schema as text_of

    if document not in DOCUMENTS:
        raise AuditorError(f"there is no schema {document!r}; expected one of {', '.join(DOCUMENTS)}")
    print(text_of(cast("Document", document)), end="")
    return 0


COMMANDS = {"list": list_, "show": show, "check": check, "schema": schema}


def _print_json(value: Sequence[Any] | Mapping[str, Any]) -> None:
    import json

    print(json.dumps(value, indent=2))


def _words(value: object) -> str:
    """A field of a pack for people."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
