"""The flow table of captures, batch by batch, for any number of outputs.

Rows come in the engine's order: by first frame within a batch, batches as they fill. CSV is written by the engine,
for which only rows that may be a vendor's are looked at here; the other formats need all columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from auditor import sources
from auditor.errors import CaptureError
from auditor.health import capture_losses
from auditor.lean import NamedTuple
from auditor.rulepack import enable
from auditor.scan import ScanOptions, open_scan, table_options
from auditor.site import Site, load_site

if TYPE_CHECKING:
    from auditor._engine import Batch
    from auditor.batches import Labelled
    from auditor.scan import Progress


class Part(NamedTuple):
    """A batch of the engine, and those of its rows that it hands out, labelled; None where it hands out none."""

    batch: Batch
    rows: Labelled | None


def options_for(packs: Sequence[str], site: Site | None, *, columns: bool, reading: ScanOptions | None) -> ScanOptions:
    """How the table is read; `columns`: those of every row are needed, rather than of those that may be a vendor's."""
    options = table_options(enable(site, packs), site or Site(), reading=reading)
    return options._replace(networks=None, ports=(), keep_all=False) if columns else options


class FlowList:
    """The flow table of captures, while it is being read. `reading`: what is said of packets."""

    def __init__(
        self,
        captures: Sequence[str],
        *,
        packs: Sequence[str] = (),
        site: str | None = None,
        columns: bool = True,
        reading: ScanOptions | None = None,
    ) -> None:
        self.paths = sources.resolve(captures)
        known = load_site(site, packs) if site is not None else None
        options = options_for(packs, known, columns=columns, reading=reading)
        self._packs, self._site = enable(known, packs), known or Site()
        self._scan = open_scan(self.paths, options)

    def batches(self, progress: Progress | None = None) -> Iterator[Part]:
        """Each batch with its labelled rows. Raises: CaptureError if no capture could be read."""
        if self._scan.wait_for_something(progress):
            import auditor.batches
            import auditor.events  # noqa: F401 - with numpy, beside the scan
        while (batch := self._scan.next_batch(progress)) is not None:
            yield Part(batch, self._labelled(batch) if batch.wanted else None)
            del batch  # its room is for the next one
        errors = [f"{capture['path']}: {capture['error']}" for capture in self._scan.captures if capture["error"]]
        if errors and len(errors) == len(self._scan.captures):
            raise CaptureError("\n".join(errors))

    def _labelled(self, batch: Batch) -> Labelled:
        from auditor.batches import flows_of, labelled
        from auditor.events import events_of

        return labelled(flows_of(batch.columns()), events_of(self._scan.heard), self._packs, self._site)

    def losses(self) -> list[str]:
        """What of the captures could not be read, one line each; known after the last batch."""
        return [line for capture in self._scan.captures for line in capture_losses(capture)]
