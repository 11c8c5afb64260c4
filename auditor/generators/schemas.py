"""JSON Schemas of rule packs, sites and watches, from the classes that read them."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from auditor.discovery import ids
from auditor.generators import Write
from auditor.monitor.config import Monitor
from auditor.rulepack import RulePack
from auditor.site import Site

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generate(write: Write) -> None:
    pack = _schema(RulePack, "Rule pack: what a vendor publishes")
    site = _schema(Site, "Site: what the customer's side looks like")
    site["$defs"]["Waiver"]["properties"]["check"] = {"type": "string", "enum": ids("auditor.checks")}
    monitor = _schema(Monitor, "Monitor: what a watch that runs by itself is to do")
    for name, schema in (("rule-pack", pack), ("site", site), ("monitor", monitor)):
        write(f"auditor/generated/{name}.schema.json", json.dumps(schema, ensure_ascii=False, indent=2))


def _schema(kind: type, title: str) -> dict[str, Any]:
    schema = _without_titles(TypeAdapter(kind).json_schema())
    return {"$schema": DIALECT, "title": title, **schema}


def _without_titles(node: Any) -> Any:
    """Without the titles that only repeat the keys, and without defaults that are no plain values of a document."""
    if isinstance(node, list):
        return [_without_titles(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if isinstance(kept.get("default"), list | dict) or kept.get("default", "") in (None, ""):
        kept.pop("default", None)
    return {key: _without_titles(value) for key, value in kept.items()}
