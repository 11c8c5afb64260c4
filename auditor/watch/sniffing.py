"""Interfaces read by scapy, for systems on which the engine has no ring of its own.

A thread for each interface writes what it sees as pcapng into a pipe, which the engine reads like any capture. Packets
are not dissected here, and of each nothing is kept. Nobody counts what the kernel dropped for want of room, which is
told with each interface: what was not seen on it cannot be called absent.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import IO, TYPE_CHECKING, Any

from auditor.errors import WatchError
from auditor.watch import blocks
from auditor.watch.losses import LOST
from auditor.watch.permission import give_up_privileges, interfaces, watch_error

if TYPE_CHECKING:
    from scapy.supersocket import SuperSocket

LOOK_SECONDS = 0.1  # between two looks at whether to end
DRAIN_SECONDS = 2.0  # what waits in the socket at the end is taken for so long
LARGEST = 1 << 17  # bytes of a packet: the largest of IP, whatever stands before it
RAW_IP = 101  # LINKTYPE_ of packets without a frame around them; scapy knows them by what is in them
NAMELESS = ("IP", "IPv6", "IPv46")
UNCOUNTED = "scapy read this interface: how many packets the kernel dropped is not known"


class Sniffers:
    """Interfaces, opened and not yet read. `buffer`: bytes that may wait in the kernel for each."""

    def __init__(self, names: Sequence[str], buffer: int) -> None:
        """Raises: WatchError where scapy is not installed or cannot open one."""
        self.names = tuple(names)
        self._sniffers: list[_Sniffer] = []
        try:
            self._sniffers += (_Sniffer(name, buffer) for name in names)
        except WatchError:
            self.close()
            raise

    def start(self, descriptors: Sequence[int]) -> None:
        """Read, and write what comes to these descriptors, which are closed at the end.

        Raises: WatchError where a thread cannot give up its rights.
        """
        outs = [os.fdopen(descriptor, "wb") for descriptor in descriptors]
        for sniffer, out in zip(self._sniffers, outs, strict=True):
            sniffer.start(out)

    def close(self) -> None:
        """Take what has come, and end."""
        for sniffer in self._sniffers:
            sniffer.stopped.set()
        for sniffer in self._sniffers:
            sniffer.close()

    def problems(self) -> Mapping[str, list[dict[str, Any]]]:
        """What is to be told of each interface."""
        return {sniffer.name: sniffer.problems() for sniffer in self._sniffers}


class _Sniffer:
    """One interface."""

    def __init__(self, name: str, buffer: int) -> None:
        self.name = name
        self.stopped = threading.Event()
        self._error: str | None = None  # why it was read no more
        self._socket = _open(name, buffer)
        self._thread: threading.Thread | None = None

    def start(self, out: IO[bytes]) -> None:
        ready = Future[None]()
        self._thread = threading.Thread(target=self._run, args=(out, ready), name="scapy", daemon=True)
        self._thread.start()
        ready.result()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def problems(self) -> list[dict[str, Any]]:
        found = [_problem("drops-unknown", UNCOUNTED)]
        if self._error is not None:
            found.append(_problem(LOST, f"the interface could be read no more: {self._error}"))
        return found

    def _run(self, out: IO[bytes], ready: Future[None]) -> None:
        with out:
            try:
                give_up_privileges(writes=False)  # what reads hostile bytes has no right to anything
            except WatchError as error:
                ready.set_exception(error)
                return
            ready.set_result(None)
            try:
                self._copy(out)
            except BrokenPipeError:
                pass  # the engine has ended before us
            except OSError as error:
                self._error = error.strerror or str(error)

    def _copy(self, out: IO[bytes]) -> None:
        """Everything that comes, until it is to end and nothing more waits."""
        out.write(blocks.section())
        out.flush()
        numbers: dict[int, int] = {}  # of the link types so far
        until = float("inf")
        while True:
            ending = self.stopped.is_set()
            if ending and until == float("inf"):
                until = time.monotonic() + DRAIN_SECONDS
            ready = self._socket.select([self._socket], 0 if ending else LOOK_SECONDS)
            if ending and (not ready or time.monotonic() > until):
                return
            for _ in ready:
                layer, data, seconds = self._socket.recv_raw(LARGEST)
                if not data or layer is None:
                    continue
                link_type = _link_type(layer)
                if link_type not in numbers:
                    numbers[link_type] = len(numbers)
                    out.write(blocks.interface(link_type))
                time_ns = time.time_ns() if seconds is None else int(seconds * 1e9)
                out.write(blocks.packet(numbers[link_type], time_ns, data))
            out.flush()


def _require_scapy() -> None:
    """Raises: WatchError where it is not installed."""
    try:
        import scapy  # noqa: F401
    except ModuleNotFoundError:
        raise WatchError(
            "interfaces are read by scapy here, which is not installed", help="pip install 'auditor[live]'"
        ) from None


def probe(name: str) -> None:
    """Open an interface and close it. Raises: WatchError."""
    _open(name, 0).close()


def _open(name: str, buffer: int) -> SuperSocket:
    """A socket to which the interface's packets come. Raises: WatchError."""
    _require_scapy()
    if name not in interfaces():
        raise watch_error(FileNotFoundError(name))
    from scapy.config import conf
    from scapy.error import Scapy_Exception

    _load_layers()
    conf.bufsize = buffer or conf.bufsize
    try:
        opened: SuperSocket = conf.L2listen(iface=name)
    except PermissionError as error:
        raise watch_error(PermissionError(name, f"cannot open the interface: {error.strerror}")) from None
    except (OSError, ValueError, Scapy_Exception) as error:
        raise WatchError(f"{name}: scapy cannot open the interface: {error}") from None
    return opened


def _load_layers() -> None:
    """What scapy needs to know which link type an interface has; the rest of it is large."""
    import logging

    logging.getLogger("scapy").setLevel(logging.ERROR)  # it talks about routes, and about what it would like installed
    import scapy.arch
    import scapy.layers.inet
    import scapy.layers.inet6
    import scapy.layers.l2  # noqa: F401


def _link_type(layer: type[Any]) -> int:
    """LINKTYPE_ number of packets that scapy takes for such."""
    from scapy.config import conf

    return RAW_IP if layer.__name__ in NAMELESS else int(conf.l2types.layer2num[layer])


def _problem(name: str, message: str) -> dict[str, Any]:
    return {"name": name, "count": 1, "frame": 0, "offset": 0, "message": message, "hides_traffic": True}
