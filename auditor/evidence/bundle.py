"""An evidence bundle: one ZIP file with the packets, the reports on them, and what they were taken from.

The reports are of the extract, so that their frame numbers are those of the capture beside them. Files that were there
before are listed with their SHA-256: who has the original can tell that it is the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from auditor import reports
from auditor.evidence.extraction import Extraction, extract, renamed
from auditor.sources import resolve

PCAPNG, SUMS, MANIFEST = "evidence.pcapng", "SHA256SUMS", "manifest.json"
REPORTS = {"json": "report.json", "html": "report.html"}  # those formats of which there is one
CHUNK = 1 << 20
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say: a bundle of the same evidence is the same file
MODE = 0o644


def write_bundle(captures: Sequence[str], output: str | Path, **options: Any) -> Extraction:
    """Write the bundle; `options` as of `extract`. It appears whole or not at all. Raises: AuditorError."""
    with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
        pcapng = os.path.join(folder, PCAPNG)
        extraction = extract(captures, pcapng, **options)
        copies = {os.path.basename(path): path for path in extraction.files}
        audit = extraction.audit
        for name, path in copies.items():
            audit = renamed(audit, path, name)
        files: dict[str, bytes] = {}
        for format, name in REPORTS.items():
            if format in reports.formats():
                text = io.StringIO()
                reports.write(format, audit, text)
                files[name] = text.getvalue().encode("utf-8", "backslashreplace")
        sources = [*captures, *options.get("inside", ()), *options.get("outside", ())]
        files[MANIFEST] = _manifest(resolve(sources), extraction, named=not options.get("anonymise"))
        sums = {
            **{name: sha256_of(path) for name, path in copies.items()},
            **{name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }
        files[SUMS] = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()
        beside = f"{output}.{os.getpid()}.part"
        try:
            with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as bundle:
                for name, path in copies.items():
                    with bundle.open(_entry(name), "w", force_zip64=True) as inside, open(path, "rb") as file:
                        shutil.copyfileobj(file, inside, CHUNK)
                for name, content in files.items():
                    bundle.writestr(_entry(name), content)
            os.replace(beside, output)
        finally:
            with suppress(OSError):
                os.unlink(beside)
        return extraction._replace(audit=audit)


def sha256_of(path: str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = MODE << 16
    return entry


def _manifest(paths: Sequence[str], extraction: Extraction, *, named: bool) -> bytes:
    from auditor._engine import __version__

    sources = [
        {"path": path if named else None, "bytes": os.path.getsize(path), "sha256": sha256_of(path)} for path in paths
    ]
    facts = {
        "auditor": {"version": __version__},
        "sources": sources,
        "findings": [{key: finding[key] for key in ("id", "check", "severity")} for finding in extraction.findings]
        if named
        else len(extraction.findings),
        "lost": [finding["check"] for finding in extraction.lost],
        "anonymised": not named,
    }
    return (json.dumps(facts, indent=2) + "\n").encode()
