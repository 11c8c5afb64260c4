"""A capture on a web server, or a file named by a URL: `https://captures.example/monday.pcapng.gz`.

It is read as it comes, in bounded memory and once; nothing is stored. A transfer that breaks off ends the capture where
it was, and the report says so.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, cast

from auditor.errors import CaptureError

if TYPE_CHECKING:
    from http.client import HTTPResponse

SCHEMES = ("http://", "https://", "file://")
SILENCE_AT_MOST = 30.0  # seconds without a byte before a server is given up
LARGEST = 1 << 40  # bytes; more is no capture but a server that never ends


def accepts(word: str) -> bool:
    return word.lower().startswith(SCHEMES) and not os.path.exists(word)


def files(word: str) -> list[str]:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(word)
        host, secret = parts.hostname, parts.username or parts.password
        _ = parts.port
    except ValueError as error:
        raise CaptureError(f"{word}: is no URL: {error}") from None
    if parts.scheme.lower() != "file" and not re.fullmatch("[!-~]+", word):
        raise CaptureError(
            f"{word}: is no URL: it holds what is not ASCII, or a blank", help="expected such characters as %XX"
        )
    from auditor.hostport import has_labels

    if secret:
        # Not repeated: the report would keep it.
        raise CaptureError(
            f"a URL at {host} holds a user name or a password, which is not sent",
            help="download the capture, or pipe it: curl … | auditor audit -",
        )
    if parts.scheme.lower() == "file":
        return [_local(word, host, parts.path)]
    if not host or not has_labels(host):
        raise CaptureError(f"{word}: names no server", help="expected https://SERVER/PATH")
    return [word]


def _local(word: str, host: str | None, path: str) -> str:
    from urllib.request import url2pathname

    if host not in (None, "localhost"):
        raise CaptureError(f"{word}: is a file of another machine, {host}", help="expected file:///PATH")
    local = url2pathname(path)
    if not os.path.exists(local):
        raise CaptureError(f"{word}: there is no such file")
    if os.path.isdir(local):
        raise CaptureError(f"{word}: is a folder", help=f"name it without file://: {local}")
    return local


class Transfer:
    """The bytes of an http(s) URL, front to back. The first `read` connects.

    `read` raises OSError with a sentence for the report; it answers b"" at the end, and only there.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._response: HTTPResponse | None = None
        self._expected: int | None = None
        self._received = 0

    def read(self, size: int) -> bytes:
        from http.client import HTTPException

        try:
            if self._response is None:
                self._response = self._connect()
            data = self._response.read1(size)
        except TimeoutError:
            raise OSError(f"the server sent nothing for {SILENCE_AT_MOST:.0f} s") from None
        except HTTPException as error:
            raise OSError(f"the server's answer breaks off or is no HTTP ({type(error).__name__})") from None
        self._received += len(data)
        if not data and self._expected is not None and self._received < self._expected:
            raise OSError(f"the server sent {self._received} of {self._expected} bytes")
        if self._received > LARGEST:
            raise OSError(f"the server sent more than {LARGEST} bytes")
        return data

    def _connect(self) -> HTTPResponse:
        from urllib import request
        from urllib.error import HTTPError, URLError
        from urllib.parse import urldefrag

        # No handlers for files and FTP: a server could lead there.
        opener = request.OpenerDirector()
        for handler in (
            request.ProxyHandler,
            request.UnknownHandler,
            request.HTTPHandler,
            request.HTTPSHandler,
            request.HTTPDefaultErrorHandler,
            request.HTTPRedirectHandler,
            request.HTTPErrorProcessor,
        ):
            opener.add_handler(handler())
        asked = request.Request(urldefrag(self._url).url, headers={"User-Agent": "auditor"})  # noqa: S310 (no other handlers)
        try:
            response = cast("HTTPResponse", opener.open(asked, timeout=SILENCE_AT_MOST))
        except HTTPError as error:
            error.close()
            raise OSError(f"the server answered {error.code} {error.reason}") from None
        except URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise error.reason from None
            why = getattr(error.reason, "strerror", None) or error.reason
            raise OSError(f"the server cannot be asked: {why}") from None
        self._expected = response.length
        return response
