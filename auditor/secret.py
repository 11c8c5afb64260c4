"""Credentials: named by where they are, never written in a document, never printed.

password: {file: /etc/auditor/smtp.password}        # its first line
password: {env: AUDITOR_SMTP_PASSWORD}
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, TypeAlias
from urllib.parse import urlsplit

from auditor.errors import AuditorError
from auditor.hostport import has_labels
from auditor.scalars import DOCUMENT, Scalar, Text

MAX_SECRET: Final = 4096
"""Bytes of a secret that are read; a longer file is some other file."""


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is: in the first line of a file, or in a variable of the environment."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    file: Text | None = None
    env: Text | None = None

    def __post_init__(self) -> None:
        if (self.file is None) == (self.env is None):
            raise ValueError("expected either file or env")

    def __str__(self) -> str:
        return f"file {self.file}" if self.file is not None else f"variable {self.env}"

    def read(self, folder: str = ".") -> str:
        """The secret, anew each time: a changed one is used at once. `folder`: what a relative path starts from.

        Raises: AuditorError.
        """
        if self.env is not None:
            value = os.environ.get(self.env, "")
            if not value:
                raise AuditorError(f"environment variable {self.env} is not set; expected a secret there")
            return value
        path = os.path.join(folder, self.file or "")
        try:
            with open(path, "rb") as file:
                content = file.read(MAX_SECRET + 1)
            first = content.split(b"\n", 1)[0].decode().strip()
        except OSError as problem:
            raise AuditorError(f"{path}: the secret cannot be read: {problem.strerror}") from None
        except UnicodeDecodeError:
            raise AuditorError(f"{path}: the secret is not UTF-8 text") from None
        if not first or len(content) > MAX_SECRET:
            raise AuditorError(f"{path}: expected a secret in the first line of at most {MAX_SECRET} bytes")
        return first


class NotWrittenHere:
    """Refuses a secret that stands in the document itself, without repeating it."""

    def check(self, value: object) -> object:
        if not isinstance(value, dict):
            raise ValueError("a secret must not stand here; expected {file: PATH} or {env: NAME}")
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: Callable[[object], Any]) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self.check, handler(source))


Secret: TypeAlias = Annotated[SecretReference, NotWrittenHere()]


def without_password(url: str) -> str:
    """`url`; ValueError, which does not repeat it, if a password stands in it."""
    try:
        password = urlsplit(url).password
    except ValueError:
        raise ValueError("the text is no URL") from None
    if password is not None:
        raise ValueError("a password stands in the URL; expected it apart, as {file: PATH} or {env: NAME}")
    return url


def read_web_url(text: str) -> str:
    """An http or https URL; ValueError if it is none. User and password have no place in it."""
    without_password(text)
    parts = urlsplit(text)
    try:
        well = parts.scheme in ("http", "https") and has_labels(parts.hostname or "") and parts.port != 0
    except ValueError:
        well = False
    if not well or parts.username is not None or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("the text is no URL to send to; expected https://host/path without a user in it")
    return text


WebUrl: TypeAlias = Annotated[str, Scalar(read_web_url, {"type": "string", "format": "uri", "pattern": "^https?://"})]
