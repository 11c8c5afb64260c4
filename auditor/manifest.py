"""What a report rests on: the auditor's version, the inputs, packs and site with their hashes, the options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from auditor.digests import begun, digest_of
from auditor.request import CAPTURE, InputFile, Request
from auditor.rulefiles import RuleFile, pack_files, site_file

if TYPE_CHECKING:
    from auditor.reporttypes import InputEntry, ManifestEntry, RuleFileEntry
    from auditor.result import Audit

QUICK_BYTES: Final = 16 << 20
"""Files up to this size are hashed for every manifest: that takes 15 ms, less than Python needs to start."""
NOT_HASHED: Final = "not hashed for this format; --hash does"


def manifest_of(report: Audit, *, hashed: bool) -> ManifestEntry:
    """The manifest. `hashed`: with the hashes of all inputs, not of small ones alone."""
    from auditor._engine import __version__

    request = report.request or Request()
    inputs = request.inputs or tuple(InputFile(str(capture["path"]), CAPTURE) for capture in report.captures)
    packs, site = pack_files(report), site_file(report)
    return {
        "auditor": __version__,
        "inputs": [_input(file, hashed=hashed) for file in inputs],
        "packs": [
            {"id": enabled.id, "version": enabled.pack.version, **_rules(packs[enabled.id])}
            for enabled in report.enabled_packs
        ],
        "site": None if site is None else _rules(site),
        "options": {
            "packs": list(request.packs),
            "as_of": None if request.as_of is None else request.as_of.isoformat(),
            "fail_on": cast("Any", report.fail_on.word),
            "allow_incomplete": report.allow_incomplete,
            "all_flows": report.all_flows,
            "validate_checksums": request.validate_checksums,
            "keep_duplicates": request.keep_duplicates,
            "vlan": request.vlan,
        },
    }


def _input(file: InputFile, *, hashed: bool) -> InputEntry:
    if hashed or begun(file) or (file.bytes or 0) <= QUICK_BYTES:
        digest, note = digest_of(file)
    else:
        digest, note = None, NOT_HASHED
    shown = file.shown or file.path
    return {"path": shown, "role": cast("Any", file.role), "bytes": file.bytes, "sha256": digest, "note": note}


def _rules(file: RuleFile) -> RuleFileEntry:
    return {"file": file.path, "sha256": file.sha256, "note": file.note}
