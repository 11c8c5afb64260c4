"""Messages arrive as RFC 5424 has them, over UDP, TCP and TLS, and again after the receiver was away."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest
from servers import certificate, free_port, receiver, server_context, wait_until
from watching import finding, settings

from auditor.delivery.outlet import Outlet
from auditor.sinks import open_sink
from auditor.sinks.base import DeliveryError, Place
from auditor.sinks.syslog import MAX_MESSAGE, Settings, message

MESSAGE = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (?P<host>[!-~]{1,255}) auditor \d+ "
    rb'(?P<id>[!-~]{1,32}) \[auditor@32473(?P<data>( [a-z_]+="(\\["\\\]]|[^"\\\]])*")*)\] \xef\xbb\xbf(?P<text>.*)'
)
PLACE = Place(sensor="span 0")


def parsed(data: bytes) -> dict[str, bytes]:
    match = MESSAGE.fullmatch(data)
    assert match, data
    return match.groupdict()


def the(settings: object) -> Settings:
    assert isinstance(settings, Settings)
    return settings


def test_a_message_has_the_parts_of_rfc_5424() -> None:
    told = parsed(message(finding(1), the(settings("syslog", to="localhost:514")), PLACE.sensor))
    assert told["pri"] == b"%d" % (16 * 8 + 4)
    assert (told["host"], told["id"]) == (b"span0", b"udp-use")
    assert b' client_ip="10.0.0.1"' in told["data"]
    assert told["text"] == b"UDP between 10.0.0.1 and 66.241.7.9"


def test_the_time_is_that_of_the_event_however_late_it_arrives() -> None:
    to = the(settings("syslog", to="localhost:514"))
    told = parsed(message(finding(1, time="2026-03-02T21:00:01.123456789Z"), to, PLACE.sensor))
    assert told["time"] == b"2026-03-02T21:00:01.123456Z"
    assert parsed(message(finding(1, time="2026-03-02T21:00:01Z"), to, "s"))["time"] == b"2026-03-02T21:00:01.000000Z"
    assert parsed(message(finding(1), to, "s"))["time"][:2] == b"20"


def test_what_captures_hold_cannot_break_out_of_a_message() -> None:
    evil = finding(1, via='a"]b\\c\n<1>1 - - -', message="x\r\n<0>1 fake\x1b[2J" + "é" * 5000)
    data = message(evil, the(settings("syslog", to="localhost:514")), PLACE.sensor)
    assert len(data) <= MAX_MESSAGE
    told = parsed(data)
    assert rb'via="a\"\]b\\c\\n<1>1 - - -"' in told["data"]
    assert told["text"].startswith(rb"x\r\n<0>1 fake\x1b[2J")
    told["text"].decode()


def test_over_udp(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        sink = open_sink(settings("syslog", to=f"127.0.0.1:{listener.getsockname()[1]}"), PLACE)
        sink.deliver([finding(1), finding(2)])
        assert [parsed(listener.recv(65536))["text"][-1:] for _ in range(2)] == [b"9", b"9"]
        sink.close()


def test_over_tcp_each_message_has_its_length() -> None:
    with receiver() as logs:
        sink = open_sink(settings("syslog", to=f"127.0.0.1:{logs.port}", protocol="tcp"), PLACE)
        sink.deliver([finding(number, message=f"é{number}") for number in range(100)])
        sink.close()
        wait_until(lambda: len(logs.messages) == 100)
        assert parsed(logs.messages[99])["text"].decode() == "é99"


def test_over_tls_with_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    pair = certificate(tmp_path)
    with receiver(server_context(pair)) as logs:
        sink = open_sink(
            settings("syslog", to=f"localhost:{logs.port}", protocol="tls", tls={"ca": pair[0].name}),
            Place(str(tmp_path)),
        )
        assert "answers over tls" in sink.probe()
        sink.deliver([finding(1)])
        sink.deliver([finding(2)])
        sink.close()
        wait_until(lambda: len(logs.messages) == 2)
        assert len(logs.connections) == 2  # the probe's, and one for both messages


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    pair = certificate(tmp_path)
    with receiver(server_context(pair)) as logs:
        for given in ({}, {"tls": {"ca": str(certificate(tmp_path, "other")[0])}}):
            sink = open_sink(settings("syslog", to=f"localhost:{logs.port}", protocol="tls", **given), PLACE)
            with pytest.raises(DeliveryError, match=r"its certificate is not accepted: self-signed certificate"):
                sink.deliver([finding(1)])
        assert logs.messages == []


def test_another_name_than_that_of_the_certificate_is_not_accepted(tmp_path: Path) -> None:
    pair = certificate(tmp_path, "other")
    with receiver(server_context(pair)) as logs:
        sink = open_sink(
            settings("syslog", to=f"localhost:{logs.port}", protocol="tls", tls={"ca": str(pair[0])}), PLACE
        )
        with pytest.raises(DeliveryError, match=r"Hostname mismatch"):
            sink.deliver([finding(1)])


def test_a_receiver_that_was_away_gets_everything() -> None:
    port = free_port()
    chosen = settings("syslog", to=f"127.0.0.1:{port}", protocol="tcp", group=None)
    out = Outlet(open_sink(chosen, PLACE), chosen)
    out.start()
    out.offer(finding(1))
    wait_until(lambda: out.state().failures)
    assert out.state().last_error == f"127.0.0.1:{port}: Connection refused"
    with receiver(port=port) as logs:
        out.offer(finding(2))
        wait_until(lambda: out.state().delivered == 2)
        wait_until(lambda: len(logs.messages) == 2)
    time.sleep(0.1)  # its end has to arrive
    out.offer(finding(3))
    with receiver(port=port) as logs:
        wait_until(lambda: out.state().delivered == 3)
        wait_until(lambda: len(logs.messages) == 1)
    out.close(5)
    assert out.state().lost == {}


def test_a_receiver_that_reads_nothing_is_an_error_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.sinks._stream.CONNECT_SECONDS", 0.3)
    monkeypatch.setattr("auditor.sinks.syslog.CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        sink = open_sink(settings("syslog", to=f"127.0.0.1:{deaf.getsockname()[1]}", protocol="tcp"), PLACE)
        big = [finding(number, message="x" * 2000) for number in range(10_000)]
        with pytest.raises(DeliveryError, match=r"(no answer within|takes nothing for)"):
            sink.deliver(big)
        sink.close()
