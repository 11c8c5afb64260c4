"""`monitor.yaml`: every error at once, with its line; no key without effect; no secret in a message."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest
from program import ROOT

from auditor.errors import MonitorError
from auditor.monitor.config import DEFAULT_WINDOW, Monitor, load_monitor
from auditor.rules_view import schema
from auditor.sinks import kinds
from auditor.yamlfile import parse

GOOD = """\
interfaces: [span0, span1]
packs: [drbackup, ./own.yaml]
site: site.yaml
sensor: fw-1
windows:
  - {days: mon-fri, from: "22:00", to: "06:00", timezone: Europe/Berlin}
  - {cron: "0 2 * * 0", duration: 3h, timezone: UTC}
window_end: {reports: ["reports/{start}.json"], tell: [mail]}
store: {url: "postgresql://auditor@db/auditor", password: {file: db.password}, keep: 90d, size: 10G,
        flows: {folder: flows, keep: 30d, size: 20G}}
sinks:
  - {kind: jsonl, path: events.jsonl, size: 10M, keep: 3}
  - {kind: eve, path: eve.json}
  - {kind: syslog, to: "logs.example:6514", protocol: tls, tls: {ca: ca.pem}, min_severity: medium}
  - {kind: webhook, url: "https://alerts.example/x", secret: {env: HOOK}, rate: 60, group: {wait: 2s, interval: 5m}}
  - {kind: mail, to: [a@b.example], from: c@d.example, server: "mail.example:587", user: u, password: {file: p}}
evidence: {folder: evidence, size: 1G, keep: 7d}
metrics: {listen: "127.0.0.1:9477"}
limits: {active_flows: 100000, ring: 128M}
fail_on: high
"""


def errors(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "monitor.yaml"
    path.write_text(text)
    with pytest.raises(MonitorError) as raised:
        load_monitor(path)
    return [error.replace(f"{path}:", "") for error in raised.value.errors]


def test_a_configuration_with_everything_in_it(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text(GOOD)
    loaded = load_monitor(tmp_path / "monitor.yaml")
    monitor = loaded.monitor
    assert [sink.label for sink in monitor.sinks] == ["jsonl", "eve", "syslog", "webhook", "mail"]
    assert loaded.packs == ["drbackup", str(tmp_path / "own.yaml")]
    assert loaded.site == str(tmp_path / "site.yaml")
    assert (monitor.store and monitor.store.keep, loaded.store_url) == (90 * 86400, "postgresql://auditor@db/auditor")
    assert len(monitor.all_windows) == 2


def test_the_schema_for_editors_accepts_it_and_knows_each_kind() -> None:
    known = json.loads(schema("monitor"))
    jsonschema.Draft202012Validator.check_schema(known)
    assert set(known["properties"]) == {field.name for field in fields(Monitor)}

    def typed(value: object) -> object:  # as a YAML reader of an editor's would
        if isinstance(value, dict):
            return {key: typed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [typed(item) for item in value]
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    document = typed(parse(GOOD.encode(), "x").data)
    validator = jsonschema.Draft202012Validator(known)
    assert [error.message for error in validator.iter_errors(document)] == []
    assert isinstance(document, dict)
    document["sinks"][0]["kind"] = "syslgo"
    assert list(validator.iter_errors(document))


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("interfaces: [span0]\nstore:\nmetrics:\n")
    loaded = load_monitor(tmp_path / "monitor.yaml")
    assert loaded.monitor.all_windows == (DEFAULT_WINDOW,)
    assert loaded.store_url == f"sqlite:///{tmp_path / 'auditor.db'}"
    assert loaded.monitor.metrics
    assert loaded.monitor.metrics.listen.loopback
    assert errors(tmp_path, "packs: [drbackup]\n") == ["1: interfaces: is missing"]


def test_all_errors_are_told_in_one_run(tmp_path: Path) -> None:
    found = errors(
        tmp_path,
        """\
interfaces: [span0, span0]
pack: [drbackup]
packs: [drbackupp]
windows:
  - {days: mon-fri, from: "22:00", to: "6:00", timezone: Europe/Berlin}
window_end: {reports: [r.json, "x-{star}.json", "{start}.doc"], tell: [mial]}
store: {keep: 90, password: {file: x}}
sinks:
  - {kind: syslgo, to: "x:1"}
  - {kind: syslog, to: logs, protocl: tls}
  - {kind: mail, to: [], from: nobody, server: "m:25"}
  - {path: x}
  - text
metrics: {listen: 9477}
interfaces: [other]
""",
    )
    for line, start in (
        (1, "interfaces[1]: 'span0' is there twice"),
        (2, 'pack: unknown key; did you mean "packs"?'),
        (3, "packs[0]: no rule pack 'drbackupp'; did you mean \"drbackup\"?"),
        (5, "windows[0].to: '6:00' is no time of day"),
        (6, "window_end.reports[0]: 'r.json' is the same for each window"),
        (6, "window_end.reports[1]: {star} is unknown; expected {start} or {end}"),
        (6, "window_end.reports[2]: the suffix of '{start}.doc' names no format"),
        (6, "window_end.tell[0]: no sink 'mial'; did you mean \"mail\"?"),
        (7, "store.keep: '90' is no length of time"),
        (7, "store.password: has no effect with SQLite"),
        (9, "sinks[0].kind: 'syslgo' is unknown; expected eve, jsonl, mail, syslog or webhook"),
        (10, "sinks[1].to: 'logs' is no host with a port"),
        (10, 'sinks[1].protocl: unknown key; did you mean "protocol"?'),
        (11, "sinks[2].from: 'nobody' is no e-mail address"),
        (12, "sinks[3].kind: is missing"),
        (13, "sinks[4]: expected a mapping, there is 'text'"),
        (14, "metrics.listen: '9477' is no host with a port"),
        (15, "interfaces: is there twice, first in line 1"),
    ):
        assert any(error.startswith(f"{line}: {start}") for error in found), (line, start, found)
    assert len(found) == 18


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("store: {password: {file: x}}", "store.password: has no effect with SQLite"),
        ("window_end: {}", "window_end: does nothing; expected reports or tell"),
        ("windows: []", "windows: is empty; expected one at least, or no such key"),
        ("sinks: [{kind: syslog, to: 'a:1', tls: {}}]", "sinks[0]: tls has no effect with protocol udp"),
        ("sinks: [{kind: jsonl, path: x, events: []}]", "sinks[0].events: is empty"),
        ("sinks: [{kind: jsonl, path: x, events: [health], group: {}}]", "sinks[0].group: has no effect"),
        ("sinks: [{kind: jsonl, path: x}, {kind: jsonl, path: y}]", "sinks[1].kind: 'jsonl' has the kind of another"),
        ("sinks: [{kind: webhook, url: 'http://x/', secret: {file: f, env: E}}]", "expected either file or env"),
        ("store: {url: 'mysql://x/y'}", "store.url: mysql:// is no store"),
    ],
)
def test_a_key_that_has_no_effect_is_refused(tmp_path: Path, text: str, told: str) -> None:
    found = errors(tmp_path, f"interfaces: [span0]\n{text}\n")
    assert len(found) == 1
    assert told in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "store: {url: 'postgresql://u:hunter2@h/d'}",
        "store: {url: 'postgresql://u@h/d', password: hunter2}",
        "sinks: [{kind: webhook, url: 'https://u:hunter2@h/', secret: {env: X}}]",
        "sinks: [{kind: webhook, url: 'https://h/', secret: hunter2}]",
        "sinks: [{kind: mail, to: [a@b.c], from: a@b.c, server: 'm:25', user: u, password: [hunter2]}]",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    found = errors(tmp_path, f"interfaces: [span0]\n{text}\n")
    assert "hunter2" not in str(found)
    assert "{file: PATH} or {env: NAME}" in str(found)


def test_the_sample_in_the_documents_is_valid_and_shows_each_kind_of_sink() -> None:
    monitor = load_monitor(ROOT / "docs" / "monitor.yaml").monitor
    assert sorted(sink.kind for sink in monitor.sinks) == list(kinds())


def test_two_sinks_do_not_share_a_file(tmp_path: Path) -> None:
    text = "interfaces: [a]\nsinks:\n  - {kind: eve, path: e.json}\n  - {kind: jsonl, path: ./e.json}\n"
    assert errors(tmp_path, text) == ["4: sinks[1].path: './e.json' is that of sinks[0]; expected a file for each"]


@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64 + ".example"])
def test_a_host_that_nobody_could_look_up_is_refused(host: str, tmp_path: Path) -> None:
    sinks = (
        f"  - {{kind: syslog, to: '{host}:514'}}\n  - {{kind: webhook, url: 'https://{host}/', secret: {{env: S}}}}\n"
    )
    first, second = errors(tmp_path, f"interfaces: [a]\nsinks:\n{sinks}")
    assert first.startswith(f"3: sinks[0].to: '{host}:514' is no host with a port; expected name:port")
    assert second.startswith("4: sinks[1].url: the text is no URL to send to; expected https://host/path")


def test_a_capture_is_named_from_the_folder_of_the_file_and_a_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / "night.pcapng").write_bytes(b"")
    (tmp_path / "span0").mkdir()
    (tmp_path / "monitor.yaml").write_text("interfaces: [span0, night.pcapng, '-']\n")
    monitor = load_monitor(tmp_path / "monitor.yaml").monitor
    assert monitor.interfaces == ("span0", str(tmp_path / "night.pcapng"), "-")
    assert monitor.streams == (str(tmp_path / "night.pcapng"), "-")
