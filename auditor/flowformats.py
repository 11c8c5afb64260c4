"""The flow table as text, JSON, JSON lines and CSV. Each format takes batches as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from auditor.jsontext import parted
from auditor.text import printable

if TYPE_CHECKING:
    from auditor import _engine
    from auditor.flowlist import Part

STDOUT_NAME = "<stdout>"


class FlowFormat:
    """One output in the making. `start`, then `add` for each batch, then `end`."""

    suffixes: ClassVar[tuple[str, ...]]
    columns: ClassVar[bool] = True  # whether it needs the columns of all rows

    def __init__(self, stream: TextIO, captures: Sequence[str]) -> None:
        self.stream, self.captures = stream, captures

    def start(self) -> None:
        """What stands before the first row."""

    def add(self, part: Part) -> None:
        """The rows of one batch."""
        raise NotImplementedError

    def end(self) -> None:
        """What stands after the last row."""

    def entries(self, part: Part) -> Iterator[dict[str, Any]]:
        """The contract's columns by name, row by row."""
        if part.rows is None:
            return iter(())
        from auditor import flowtable

        return flowtable.rows(part.rows.flows, part.rows.labels, self.captures)


class Csv(FlowFormat):
    """As the engine writes it: times as epoch seconds with nine decimals."""

    suffixes = (".csv",)
    columns = False
    _header = True

    def add(self, part: Part) -> None:
        self.stream.flush()
        names = [printable(capture) for capture in self.captures]
        labels = no_labels() if part.rows is None else part.rows.for_engine()
        path = None if self.stream.name == STDOUT_NAME else self.stream.name
        part.batch.write_csv(path, captures=names, labels=labels, header=self._header)
        self._header = False

    def end(self) -> None:
        if self._header:  # no batch: no flow
            from auditor.reporttypes import FlowEntry

            self.stream.write(",".join(FlowEntry.__annotations__) + "\n")


class JsonLines(FlowFormat):
    """One object a line."""

    suffixes = (".jsonl", ".ndjson")

    def add(self, part: Part) -> None:
        self.stream.writelines(f"{text}\n" for text in parted(self.entries(part), "\n"))


class Json(FlowFormat):
    """An array of objects, one a line."""

    suffixes = (".json",)
    _before = "[\n"

    def add(self, part: Part) -> None:
        for text in parted(self.entries(part), ",\n"):
            self.stream.write(self._before + text)
            self._before = ",\n"

    def end(self) -> None:
        self.stream.write("[]\n" if self._before == "[\n" else "\n]\n")


class Table(FlowFormat):
    """For people: what matters most of each flow, in columns as wide as the batch needs. Times are UTC."""

    suffixes = (".txt",)
    header = ("start (UTC)", "proto", "initiator", "responder", "state", "packets", "bytes", "vendor", "role")
    right = (5, 6)
    _header = True

    def add(self, part: Part) -> None:
        from auditor.layout import GAP, pad, width

        lines = [self._line(entry) for entry in self.entries(part)]
        if not lines:
            return
        if self._header:
            lines.insert(0, self.header)
            self._header = False
        widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (pad(cell, widths[n], n in self.right) for n, cell in enumerate(line))
            self.stream.write(GAP.join(cells).rstrip() + "\n")

    def end(self) -> None:
        if self._header:
            self.stream.write("no flows\n")

    @staticmethod
    def _line(entry: Mapping[str, Any]) -> tuple[str, ...]:
        role = entry["role"] if entry["role"] != "other" else ""
        return (
            entry["start"][:19].replace("T", " "),
            entry["protocol"],
            endpoint(entry["initiator_ip"], entry["initiator_port"], entry["protocol"]),
            endpoint(entry["responder_ip"], entry["responder_port"], entry["protocol"]),
            entry["state"],
            str(entry["packets_forward"] + entry["packets_reverse"]),
            str(entry["bytes_forward_ip"] + entry["bytes_reverse_ip"]),
            printable(entry["vendor"]),
            role,
        )


def no_labels() -> _engine.Labels:
    """What the engine writes to rows that no vendor can be concerned by."""
    from auditor import _engine

    names = {"vendors": [""], "services": [""], "roles": ["other"], "role_bases": [""]}
    return _engine.Labels(**names, vendor=b"", service=b"", role=b"", role_basis=b"", client=b"")


FORMATS: dict[str, type[FlowFormat]] = {"csv": Csv, "json": Json, "jsonl": JsonLines, "table": Table}


def endpoint(address: str, port: int, protocol: str) -> str:
    """`10.0.0.5:21`, `[2001:db8::1]:21`; no port where the protocol has none."""
    if protocol not in ("tcp", "udp", "sctp"):
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
