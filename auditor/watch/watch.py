"""A watch: from the engine's ticks to events, and at the end to a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor.watch.options import Options
from auditor.watch.tick import OnTick, Publish, ignore

if TYPE_CHECKING:
    from auditor.result import Audit
    from auditor.rulepack import EnabledPack
    from auditor.site import Site


class Watch:
    """Watches interfaces until it is stopped. `-` is a capture on standard input, a path one in a file.

    Raises: WatchError where capture cannot start; its help is the command or unit line that lets it.
    """

    def __init__(
        self,
        interfaces: Sequence[str],
        packs: tuple[EnabledPack, ...],
        site: Site | None = None,
        options: Options | None = None,
        *,
        publish: Publish = ignore,
        on_tick: OnTick = ignore,
    ) -> None:
        raise NotImplementedError

    def run(self, duration: float | None = None) -> None:
        """Watch until `stop`, the end of all files, or for `duration` seconds."""
        raise NotImplementedError

    def stop(self) -> None:
        """End `run` after one more judgement. From any thread, or a signal handler."""
        raise NotImplementedError

    def reload(self, packs: tuple[EnabledPack, ...], site: Site | None) -> None:
        """Judge by these from the next tick on, what is in the judged rows as well. From any thread."""
        raise NotImplementedError

    def report(self) -> Audit:
        """What `audit` would say of all that passed, after `run`; before, of all so far."""
        raise NotImplementedError
