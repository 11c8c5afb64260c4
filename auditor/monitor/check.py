"""`auditor watch --check`: whether a watch could start now, and would be heard. Nothing is captured, sent or made."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from auditor.errors import AuditorError
from auditor.monitor.config import Loaded
from auditor.monitor.making import Judging
from auditor.sinks import open_sink
from auditor.sinks.base import DeliveryError


class Checked(NamedTuple):
    """One thing that was tried."""

    what: str
    well: bool
    told: str
    help: str = ""


def check(loaded: Loaded) -> list[Checked]:
    """Everything that a watch needs, tried one after the other."""
    return list(_checks(loaded))


def _checks(loaded: Loaded) -> Iterator[Checked]:
    monitor = loaded.monitor
    yield _tried("packs and site", lambda: _judging(loaded))
    for name in monitor.interfaces:
        if name in monitor.streams:
            yield Checked(f"interface {name}", True, "a capture on a pipe or in a file")
        else:
            yield from _interface(name, monitor.source)
    for settings in monitor.sinks:
        sink = open_sink(settings, loaded.place)
        yield _tried(f"sink {settings.label}", sink.probe)
        sink.close()
    if monitor.store is not None:
        yield _tried("store", lambda: _store(loaded))
        if monitor.store.flows is not None:
            folder = loaded.path(monitor.store.flows.folder)
            yield _tried("store.flows", lambda: _flows(folder))
    for template in monitor.window_end.reports if monitor.window_end is not None else ():
        path = loaded.path(template)
        yield _tried("window_end", lambda path=path: _folder(os.path.dirname(path)))  # type: ignore[misc]
    if monitor.evidence is not None:
        evidence = loaded.path(monitor.evidence.folder)
        yield _tried("evidence", lambda: _folder(evidence))
    if monitor.metrics is not None:
        listen = monitor.metrics.listen
        yield _tried("metrics", lambda: _free(listen.host, listen.port))
        if not listen.loopback:
            yield Checked("metrics", True, f"{listen} can be read from other machines, by anyone")
    yield _tried("status", lambda: _folder(os.path.dirname(loaded.status)))


def _tried(what: str, do: Callable[[], str]) -> Checked:
    try:
        return Checked(what, True, do())
    except AuditorError as error:
        return Checked(what, False, str(error), error.help or "")
    except DeliveryError as error:
        return Checked(what, False, str(error))
    except OSError as error:
        return Checked(what, False, f"{error.filename or what}: {error.strerror or error}")


def _judging(loaded: Loaded) -> str:
    judging = Judging(loaded)
    packs = ", ".join(enabled.pack.id for enabled in judging.packs)
    return f"{packs}; {'no site' if judging.site is None else judging.loaded.site}"


def _interface(name: str, source: str) -> Iterator[Checked]:
    what = f"interface {name}"
    known = [found for _, found in socket.if_nameindex()]
    if name not in known:
        yield Checked(what, False, "there is no such interface", f"there are: {', '.join(known)}")
        return
    try:
        flags = int(Path(f"/sys/class/net/{name}/flags").read_text(), 16)
    except (OSError, ValueError):
        flags = 1
    state = "is up" if flags & 1 else "is down: nothing will be seen until it is up"
    yield Checked(what, True, state)
    yield _tried(f"capture on {name}", lambda: _capture(name, source))


def _capture(name: str, source: str) -> str:
    """Whether a packet socket can be bound there; nothing is read from it."""
    from auditor.watch.options import are_sniffed
    from auditor.watch.permission import watch_error

    if are_sniffed(source):
        from auditor.watch.sniffing import probe

        probe(name)
        return "is permitted; scapy reads it, and what the kernel drops is not known"
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as opened:
            opened.bind((name, 0))
    except PermissionError:
        raise watch_error(PermissionError(name, "capturing is not permitted")) from None
    return "is permitted"


def _store(loaded: Loaded) -> str:
    import auditor.store  # noqa: F401  # says what is not installed
    from auditor.store.opening import examine

    settings, url = loaded.monitor.store, loaded.store_url
    assert settings is not None
    assert url is not None
    secret = settings.password
    return examine(url, None if secret is None else secret.read(loaded.place.folder))


def _flows(folder: str) -> str:
    from auditor.store.flows import need_pyarrow

    need_pyarrow()
    return _folder(folder)


def _folder(folder: str) -> str:
    """Whether files can be made there, or the folder itself."""
    there = Path(folder)
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise AuditorError(f"{there}: is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise AuditorError(f"{there}: may not be written by this user")
    return f"{folder} can be written"


def _free(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            raise AuditorError(f"nothing can listen at {host}:{port}: {error.strerror}") from None
    return f"http://{host}:{port}/metrics is free"
