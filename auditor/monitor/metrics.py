"""Numbers of a watch for Prometheus. No label holds an address, or anything else that traffic brings.

The text format is a dozen lines to write; the client library would bring a registry for the whole process, and a server
that cannot be told to answer one question at a time. A test reads the output with that library.
Source: Prometheus, text-based exposition format 0.0.4.
"""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from auditor.errors import AuditorError
from auditor.hostport import HostPort

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
ANSWER_SECONDS: Final = 5.0
"""Longest that one who asks may take; the next one waits so long."""


class Family(NamedTuple):
    """One metric with its samples."""

    name: str
    kind: str
    help: str
    samples: list[tuple[dict[str, str], float]]


def exposition(status: Mapping[str, Any]) -> str:
    """The metrics of a status (`auditor.monitor.status`)."""
    lines = []
    for name, kind, help, samples in _families(status):
        lines += [f"# HELP auditor_{name} {help}", f"# TYPE auditor_{name} {kind}"]
        for labels, value in samples:
            inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"auditor_{name}{{{inner}}} {value}" if inner else f"auditor_{name} {value}")
    return "\n".join(lines) + "\n"


def _families(status: Mapping[str, Any]) -> Iterator[Family]:
    capture = status["capture"]
    interfaces: Mapping[str, Mapping[str, Any]] = capture["interfaces"]
    yield Family("build_info", "gauge", "The program.", [({"version": status["version"]}, 1)])
    yield Family(
        "capture_packets_total", "counter", "Packets that were captured.",
        [({"interface": name}, one["packets"]) for name, one in interfaces.items()],
    )  # fmt: skip
    yield Family(
        "capture_bytes_total", "counter", "Their bytes on the wire.",
        [({"interface": name}, one["bytes"]) for name, one in interfaces.items()],
    )  # fmt: skip
    yield Family(
        "capture_drops_total", "counter", "Packets that were lost, by cause.",
        [({"interface": name, "cause": cause}, count)
         for name, one in interfaces.items() for cause, count in one["drops"].items()],
    )  # fmt: skip
    yield Family(
        "interface_up", "gauge", "Whether it is there, and up.",
        [({"interface": name}, int(not one["is_away"])) for name, one in interfaces.items()],
    )  # fmt: skip
    yield Family(
        "interface_away_seconds_total", "counter", "How long it was down or gone.",
        [({"interface": name}, one["away"]) for name, one in interfaces.items()],
    )  # fmt: skip
    yield Family("capture_complete", "gauge", "Whether losses still allow a clean verdict.",
                 [({}, int(capture["complete"]))])  # fmt: skip
    yield Family("flows", "gauge", "Flows by state.",
                 [({"state": name}, count) for name, count in capture["flows"].items()])  # fmt: skip
    yield Family("limit_hits", "gauge", "What found no room, by the limit that was reached, in this window.",
                 [({"limit": name}, count) for name, count in capture["limits"].items()])  # fmt: skip
    yield Family("findings", "gauge", "Findings of this window.", [
        ({"check": one["check"], "severity": one["severity"]}, one["count"]) for one in status["findings"]
    ])  # fmt: skip
    yield Family("events_total", "counter", "Events that were told.",
                 [({"event": name}, count) for name, count in status["events"].items()])  # fmt: skip
    yield Family("last_tick_timestamp_seconds", "gauge", "The last judgement.",
                 [({}, status["last_tick_ns"] / 1e9)])  # fmt: skip
    yield Family("tick_age_seconds", "gauge", "Time since the last judgement.", [({}, status["tick_age"])])
    yield from _of_sinks(status["sinks"])
    if status["store"] is not None:
        yield from _of_store(status["store"])
    if status["reload"] is not None:
        yield Family("last_reload_successful", "gauge", "Whether the last reload was accepted.",
                     [({}, int(status["reload"]["accepted"]))])  # fmt: skip


def _of_sinks(sinks: list[Mapping[str, Any]]) -> Iterator[Family]:
    yield Family("sink_received_total", "counter", "Events for a sink.",
                 [({"sink": sink["name"]}, sink["received"]) for sink in sinks])  # fmt: skip
    yield Family("sink_delivered_total", "counter", "Events that it took.",
                 [({"sink": sink["name"]}, sink["delivered"]) for sink in sinks])  # fmt: skip
    yield Family("sink_grouped_total", "counter", "Events that were told by another with their count.",
                 [({"sink": sink["name"]}, sink["grouped"]) for sink in sinks])  # fmt: skip
    yield Family("sink_lost_total", "counter", "Events that it did not get, by cause.", [
        ({"sink": sink["name"], "cause": cause}, count) for sink in sinks for cause, count in sink["lost"].items()
    ])  # fmt: skip
    yield Family("sink_waiting", "gauge", "Events that wait for it.",
                 [({"sink": sink["name"]}, sink["waiting"]) for sink in sinks])  # fmt: skip
    yield Family("sink_failing", "gauge", "Whether its last delivery failed.",
                 [({"sink": sink["name"]}, int(sink["failing_since"] is not None)) for sink in sinks])  # fmt: skip


def _of_store(store: Mapping[str, Any]) -> Iterator[Family]:
    yield Family("store_written_total", "counter", "Events that are in the store.", [({}, store["written"])])
    yield Family("store_lost_total", "counter", "Events that found no room, by kind or cause.",
                 [({"kind": kind}, count) for kind, count in store["lost"].items()])  # fmt: skip
    yield Family("store_waiting", "gauge", "Events that wait to be written.", [({}, store["waiting"])])
    yield Family("store_bytes", "gauge", "What the store's rows take.", [({}, store["used"])])
    yield Family("store_failing", "gauge", "Whether the last write failed.",
                 [({}, int(store["failing_since"] is not None))])  # fmt: skip


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class MetricsServer:
    """Answers `GET /metrics` from a thread of its own, one question at a time."""

    def __init__(self, listen: HostPort, status: Callable[[], Mapping[str, Any]]) -> None:
        """Raises: AuditorError where nothing can listen there."""
        outer = status

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = ANSWER_SECONDS
            cut: threading.Timer
            server_version, sys_version = "auditor", ""

            def setup(self) -> None:
                super().setup()
                # each byte has its own time limit beside this one: who sends one now and then would stay for ever
                self.cut = threading.Timer(ANSWER_SECONDS, self._hang_up)
                self.cut.start()

            def finish(self) -> None:
                self.cut.cancel()
                super().finish()

            def _hang_up(self) -> None:
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

            def do_GET(self) -> None:  # as http.server calls it
                if self.path.partition("?")[0] != "/metrics":
                    self.send_error(404, "expected /metrics")
                    return
                body = exposition(outer()).encode()
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Who asks is nobody's business."""

        class Server(http.server.HTTPServer):
            address_family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET

            def handle_error(self, *_: object) -> None:
                """Whoever asked went away."""

        try:
            self._server = Server((listen.host, listen.port), Handler)
        except OSError as error:
            raise AuditorError(f"metrics: nothing can listen at {listen}: {error.strerror}") from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
