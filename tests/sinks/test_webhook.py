"""Signed, retried where that helps, and no secret shown."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from program import ROOT
from servers import certificate, free_port, server_context, wait_until, web_server
from watching import finding, settings

from auditor import sinks
from auditor.delivery.outlet import Outlet
from auditor.sinks.base import DeliveryError, Place, Sink

SECRET = "correct horse battery staple"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "secret").write_text(SECRET + "\n")
    return Place(str(tmp_path), "span0")


@pytest.fixture
def open_sink() -> Iterator[Callable[[Any, Place], Any]]:
    """As `sinks.open_sink`; what was opened is closed behind the test."""
    opened: list[Sink] = []

    def open(settings: Any, place: Place) -> Sink:
        opened.append(sinks.open_sink(settings, place))
        return opened[-1]

    yield open
    for sink in opened:
        sink.close()


Open = Callable[[Any, Place], Any]


def hook(port: int, **given: Any) -> Any:
    return settings("webhook", url=f"http://127.0.0.1:{port}/in?x=1", secret={"file": "secret"}, **given)


def test_a_post_is_signed_so_that_the_receiver_can_check_it(open_sink: Open, place: Place) -> None:
    with web_server() as web:
        sink = open_sink(hook(web.port), place)
        sink.deliver([finding(1), finding(2)])
        sink.deliver([finding(3)])
        sink.close()
    (headers, body), _ = web.requests
    signed = headers["X-Auditor-Timestamp"].encode() + b"." + body
    assert headers["X-Auditor-Signature"] == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert json.loads(body) == {"sensor": "span0", "events": [finding(1), finding(2)]}
    assert SECRET not in str(headers) + body.decode()


def test_the_receivers_check_in_the_documents_is_right(open_sink: Open, place: Place) -> None:
    with web_server() as web:
        sink = open_sink(hook(web.port), place)
        sink.deliver([finding(1)])
        sink.close()
    ((headers, body),) = web.requests
    names: dict[str, Any] = {}
    exec((ROOT / "docs" / "unattended.md").read_text().split("```python\n")[1].split("```")[0], names)
    assert names["is_genuine"](SECRET, headers, body)
    assert not names["is_genuine"](SECRET, headers, body + b" ")
    assert not names["is_genuine"]("other", headers, body)
    assert not names["is_genuine"](SECRET, {**headers, "X-Auditor-Timestamp": "1"}, body)


def test_what_fails_for_a_while_is_sent_again_with_the_same_delivery_id(open_sink: Open, place: Place) -> None:
    with web_server() as web:
        web.answer = lambda count: (503, {}) if count < 3 else (200, {})
        chosen = hook(web.port, group=None)
        out = Outlet(open_sink(chosen, place), chosen)
        out.start()
        out.offer(finding(1))
        wait_until(lambda: out.state().delivered == 1)
        out.close(5)
    assert out.state().failures == 2
    assert len({headers["X-Auditor-Delivery"] for headers, _ in web.requests}) == 1


def test_the_server_says_when_to_come_again(open_sink: Open, place: Place) -> None:
    with web_server() as web:
        web.answer = lambda _: (429, {"Retry-After": "17"})
        with pytest.raises(DeliveryError, match=r"answers 429") as raised:
            open_sink(hook(web.port), place).deliver([finding(1)])
    assert (raised.value.wait, raised.value.again) == (17.0, True)


@pytest.mark.parametrize(("status", "again"), [(400, False), (422, False), (302, True), (401, True), (500, True)])
def test_only_a_body_that_is_wrong_is_given_up(open_sink: Open, place: Place, status: int, again: bool) -> None:
    with web_server() as web:
        web.answer = lambda _: (status, {"Location": "http://127.0.0.1:1/"})
        with pytest.raises(DeliveryError) as raised:
            open_sink(hook(web.port), place).deliver([finding(1)])
        assert (raised.value.again, raised.value.apart) == (again, not again)
        assert len(web.requests) == 1


def test_a_kept_connection_that_the_server_closed_is_no_failure(open_sink: Open, place: Place) -> None:
    port = free_port()
    sink = open_sink(hook(port), place)
    with web_server(port) as web:
        web.answer = lambda _: (200, {"Connection": "close"})
        sink.deliver([finding(1)])
        sink.deliver([finding(2)])
        assert len(web.requests) == 2
    with pytest.raises(DeliveryError, match=r"Connection refused"):
        sink.deliver([finding(3)])


def test_over_tls(open_sink: Open, place: Place, tmp_path: Path) -> None:
    pair = certificate(tmp_path)
    with web_server(context=server_context(pair)) as web:
        url = f"https://localhost:{web.port}/"
        secret = {"file": "secret"}
        sink = open_sink(settings("webhook", url=url, secret=secret, tls={"ca": str(pair[0])}), place)
        sink.deliver([finding(1)])
        sink.close()
        assert len(web.requests) == 1
        with pytest.raises(DeliveryError, match=r"its certificate is not accepted"):
            open_sink(settings("webhook", url=url, secret=secret), place).deliver([finding(1)])


def test_something_else_than_a_web_server_is_told(open_sink: Open, place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:
        import threading

        def answer() -> None:
            connection, _ = odd.accept()
            connection.recv(100)
            connection.sendall(b"220 smtp\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(DeliveryError, match=r"is no web server|reset"):
            open_sink(hook(odd.getsockname()[1]), place).deliver([finding(1)])


def test_a_missing_secret_is_told_and_nothing_is_sent(
    open_sink: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server() as web:
        sink = open_sink(hook(web.port), Place(str(tmp_path)))
        with pytest.raises(DeliveryError, match=r"secret: the secret cannot be read: No such file"):
            sink.deliver([finding(1)])
        chosen = settings("webhook", url=f"http://127.0.0.1:{web.port}/", secret={"env": "AUDITOR_HOOK"})
        with pytest.raises(DeliveryError, match=r"variable AUDITOR_HOOK is not set"):
            open_sink(chosen, Place()).deliver([finding(1)])
        assert web.requests == []
        monkeypatch.setenv("AUDITOR_HOOK", SECRET)
        open_sink(chosen, Place()).deliver([finding(1)])
        assert len(web.requests) == 1
    assert SECRET not in repr(chosen)
