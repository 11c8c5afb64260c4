"""What the user can act on.

    AuditorError          message and exit code 2, never a traceback
    ├── CaptureError      a capture that cannot be opened at all
    ├── WatchError        an interface that cannot be watched
    ├── RulePackError     a rule pack that is not valid; carries every error found
    ├── SiteError         a site file that is not valid; carries every error found
    ├── MonitorError      a watch's configuration that is not valid; carries every error found
    └── StoreError        a store that cannot be opened

Odd traffic and damaged captures are *problems* (data in the report), not errors.
"""

from __future__ import annotations


class AuditorError(Exception):
    """A message for the user. `help` says what to do about it, where that is not obvious."""

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


class CaptureError(AuditorError):
    """A capture that cannot be opened or holds nothing readable."""


class WatchError(AuditorError):
    """An interface that cannot be watched. Where a permission is missing, the help is what grants it."""


class DocumentError(AuditorError):
    """A YAML document that is not valid: one line `file:line: key path: …` for each error, sorted by line."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


class RulePackError(DocumentError):
    """A rule pack that is not valid."""


class SiteError(DocumentError):
    """A site file that is not valid."""


class MonitorError(DocumentError):
    """A watch's configuration that is not valid."""


class StoreError(AuditorError):
    """A store that cannot be opened or used. `again`: it may be there later, as a server that restarts."""

    def __init__(self, message: str, *, help: str | None = None, again: bool = False) -> None:
        super().__init__(message, help=help)
        self.again = again
