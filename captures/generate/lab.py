"""A small network for real traffic: an inside, a gateway that captures and filters, an outside.

Recipes speak of the published addresses only. Inside the lab each is played by an address of the documentation
networks (RFC 5737), and the capture is rewritten to the published ones afterwards. Servers, the capture program and
the namespaces end with the lab, and every wait is bounded.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from captures.generate.namespace import Namespace
from captures.generate.rewrite import rewrite
from captures.generate.scene import START, nanoseconds
from captures.generate.sniff import capturing

SOCKET_SECONDS = 5.0  # longest wait for a peer
THREAD_SECONDS = 10.0  # longest wait for a server to end
PROGRAM_SECONDS = 10.0  # longest wait for a server to listen
INSIDE_GATEWAY, OUTSIDE_GATEWAY = "10.1.2.1", "203.0.113.1"  # the gateway's addresses as published
_INSIDE_NET, _OUTSIDE_NET = "192.0.2", "198.51.100"
_FIRST_HOST = 10


class Lab:
    """The network, running. Outside addresses that are `silent` swallow every packet; `rejected` ones the gateway
    refuses by ICMP."""

    def __init__(
        self,
        resources: ExitStack,
        folder: Path,
        *,
        inside: Sequence[str],
        outside: Sequence[str],
        silent: Sequence[str] = (),
        rejected: Sequence[str] = (),
    ) -> None:
        self.folder = folder  # goes with the lab
        self.ended = threading.Event()  # servers must stop
        self._resources = resources
        self._inside = _allot(_INSIDE_NET, inside)
        outdoors = _allot(_OUTSIDE_NET, [*outside, *silent, *rejected])
        gateways = {INSIDE_GATEWAY: f"{_INSIDE_NET}.1", OUTSIDE_GATEWAY: f"{_OUTSIDE_NET}.1"}
        self._addresses = self._inside | outdoors | gateways
        self.gateway, self._indoors, self._outdoors = (self._namespace(end) for end in ("gateway", "inside", "outside"))
        self._cable(self._indoors, "inside", _INSIDE_NET, inside)
        self._cable(self._outdoors, "outside", _OUTSIDE_NET, outside)
        self.gateway.set("ipv4/ip_forward", "1")
        for kind, addresses in (("blackhole", silent), ("prohibit", rejected)):
            for address in addresses:
                self.gateway.ip("route", "add", kind, f"{self.address(address)}/32")

    def address(self, published: str) -> str:
        """The lab address that plays a published one."""
        return self._addresses[published]

    def published(self) -> dict[str, str]:
        """Lab address → published address."""
        return {lab: address for address, lab in self._addresses.items()}

    def home(self, published: str) -> AbstractContextManager[None]:
        """While it lasts, sockets of this thread are made where that host lives."""
        return (self._indoors if published in self._inside else self._outdoors).entered()

    def socket(self, address: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket of that host, bound to the port."""
        with self.home(address):
            plug = socket.socket(socket.AF_INET, kind)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plug.settimeout(SOCKET_SECONDS)
        plug.bind((self.address(address), port))
        return plug

    def background(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread; it must return soon after `ended` is set."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._resources.callback(thread.join, THREAD_SECONDS)
        self._resources.callback(self.ended.set)

    def program(self, address: str, port: int, *command: str) -> None:
        """Run a server of that host until the lab ends; waits until its TCP port is open.

        Raises: OSError if the program is missing, ends, or does not listen in time.
        """
        if shutil.which(command[0]) is None:
            raise OSError(f"this recipe needs {command[0]}, which is not installed")
        namespace = self._indoors if address in self._inside else self._outdoors
        log = self.folder / f"{Path(command[0]).name}-{port}.log"
        with log.open("w") as words:
            process = subprocess.Popen(namespace.command(*command), stdout=words, stderr=words)
        self._resources.callback(_stop, process)
        end = time.monotonic() + PROGRAM_SECONDS
        while not self._listens(address, port):
            if process.poll() is not None or time.monotonic() > end:
                raise OSError(f"{command[0]} did not start: {log.read_text().strip()}")
            time.sleep(0.05)

    def names(self, addresses: Mapping[str, str]) -> None:
        """Name → published address, for outside programs that start from now on."""
        self._outdoors.names({name: self.address(address) for name, address in addresses.items()})

    def _listens(self, address: str, port: int) -> bool:
        with self.home(address), socket.socket() as plug:  # over the loopback: no capture sees it
            return plug.connect_ex((self.address(address), port)) == 0

    def _namespace(self, end: str) -> Namespace:
        namespace = Namespace(f"auditor-{os.getpid()}-{end}")
        self._resources.callback(namespace.remove)
        return namespace

    def _cable(self, namespace: Namespace, end: str, net: str, hosts: Sequence[str]) -> None:
        """A cable between the namespace and the gateway. Segments leave in wire size: no offloading."""
        self.gateway.ip("link", "add", "name", end, "type", "veth", "peer", "name", "up", "netns", namespace.name)
        for place, name in ((self.gateway, end), (namespace, "up")):
            place.ip("link", "set", "dev", name, "gso_max_segs", "1")
            place.ip("link", "set", "dev", name, "up")
        self.gateway.ip("address", "add", f"{net}.1/24", "dev", end)
        for host in hosts:
            namespace.ip("address", "add", f"{self.address(host)}/24", "dev", "up")
        namespace.ip("route", "add", "default", "via", f"{net}.1")


def played(
    play: Callable[[Lab], None],
    *,
    inside: Sequence[str],
    outside: Sequence[str],
    silent: Sequence[str] = (),
    rejected: Sequence[str] = (),
    proxy_ports: Sequence[int] = (),
) -> bytes:
    """What the gateway's inside port saw while `play` was carried out, as pcapng with published addresses, also in the
    requests to `proxy_ports`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "capture")
        with ExitStack() as resources:
            lab = Lab(resources, Path(folder), inside=inside, outside=outside, silent=silent, rejected=rejected)
            resources.enter_context(capturing(lab.gateway, "inside", file))
            play(lab)
        return rewrite(file, lab.published(), start_ns=nanoseconds(START), inside=proxy_ports)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(THREAD_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _allot(net: str, published: Sequence[str]) -> dict[str, str]:
    return {address: f"{net}.{_FIRST_HOST + number}" for number, address in enumerate(published)}
