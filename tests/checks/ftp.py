"""Flows and events of FTP sessions, for tests of the checks that read them."""

from __future__ import annotations

from typing import Any

from flowbuilder import row

CLIENT, SERVER, NODE = "10.0.0.5", "66.241.7.3", "66.241.7.9"


def control(start: float = 900, duration: float = 300, *, client: str = CLIENT, history: str = "ShADadFf") -> Any:
    """A control session with the server."""
    return row(f"{client}:40000", f"{SERVER}:21", start=start, duration=duration, history=history)


def data(start: float = 1000, port: int = 20001, *, client: str = CLIENT, node: str = SERVER, **more: Any) -> Any:
    """A data connection."""
    return row(f"{client}:40001", f"{node}:{port}", start=start, **more)


def said(*events: str | tuple[str, dict[str, Any]], flow: int = 0, start: float = 901) -> list[dict[str, Any]]:
    """Events of one flow, a second after each other."""
    told = [(event, {}) if isinstance(event, str) else event for event in events]
    return [{"flow": flow, "kind": kind, "time": start + at, **more} for at, (kind, more) in enumerate(told)]


GREETING = "ftp-greeting"
AUTH = ("ftp-auth", {"text": "tls", "flag": 1})
AUTH_REFUSED = ("ftp-auth", {"text": "tls", "flag": 0})
OPAQUE = ("ftp-opaque", {"flag": 0})
USER, PASS = "ftp-user", "ftp-pass"
LOGIN = ("ftp-login", {"flag": 1})
LOGIN_REFUSED = ("ftp-login", {"flag": 0})
STORE = ("ftp-transfer", {"text": "stor", "flag": 1})
QUIT = "ftp-quit"


def passive(port: int, address: str | None = None) -> tuple[str, dict[str, Any]]:
    """A 227 with that address, or a 229."""
    return ("ftp-passive", {"port": port, "flag": int(address is None), **({"address": address} if address else {})})


IN_CLEAR = said(GREETING, USER, PASS, LOGIN)
UNDER_TLS = said(GREETING, AUTH, OPAQUE)
