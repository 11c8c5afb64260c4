"""Where events go as they happen: one file per kind of sink, found by looking at this folder.

A sink file has `Settings`, what `monitor.yaml` says of one such sink (`kind` is the file's name), and
`open(settings, place)`, which gives a `Sink` and connects to nothing yet. `base.py` says what a sink is;
`auditor.delivery` calls it from a thread of its own, behind a bounded queue.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from auditor import discovery

if TYPE_CHECKING:
    from auditor.sinks.base import Common, Place, Sink


def kinds() -> tuple[str, ...]:
    """The kinds there are, in alphabetical order. Imports none of them."""
    return tuple(discovery.ids(__name__))


def settings_of(kind: str) -> type[Common]:
    """The class of the settings of one kind."""
    return cast("type[Common]", import_module(f"{__name__}.{kind.replace('-', '_')}").Settings)


def open_sink(settings: Common, place: Place) -> Sink:
    """The sink that the settings describe."""
    return cast("Sink", import_module(f"{__name__}.{settings.kind.replace('-', '_')}").open(settings, place))
