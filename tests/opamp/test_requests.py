"""The head of a request: what is read, and what is refused."""

import pytest

from opamp.requests import BadRequest, read_request, takes_gzip

UPGRADE = (
    b"GET /v1/opamp?x=1 HTTP/1.1\r\nHost: telflo\r\nConnection: keep-alive, Upgrade\r\n"
    b"UPGRADE: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization:  Bearer x "
)


def test_an_upgrade_is_known_by_its_headers() -> None:
    request = read_request(UPGRADE)
    assert (request.method, request.path, request.wants_websocket) == ("GET", "/v1/opamp", True)
    assert (b"authorization", b"Bearer x") in request.headers
    assert b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" in request.upgrade()
    assert b"Bearer" not in request.upgrade()


def test_a_page_is_no_upgrade() -> None:
    assert not read_request(b"GET /healthz HTTP/1.1\r\nHost: telflo").wants_websocket


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET / HTTP/1.0",
        b"GET  / HTTP/1.1",
        b"get / HTTP/1.1",
        b"GET x HTTP/1.1",
        b"GET / HTTP/1.1\r\nno colon",
        b"GET / HTTP/1.1\r\n folded: line",
        b"GET / HTTP/1.1\r\nname : value",
        b"GET / HTTP/1.1\r\nname: a\x00b",
        b"GET / HTTP/1.1\r\nname: a\nb",
        b"GET / HTTP/1.1" + b"\r\na: b" * 101,
    ],
)
def test_what_is_no_request_is_refused(head: bytes) -> None:
    with pytest.raises(BadRequest):
        read_request(head + b"\r\nHost: telflo")


@pytest.mark.parametrize("hosts", [b"", b"\r\nHost: a\r\nhost: a"])
def test_a_request_names_one_host(hosts: bytes) -> None:
    with pytest.raises(BadRequest, match="Host"):
        read_request(b"GET / HTTP/1.1\r\nAccept: */*" + hosts)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"AAAAAAAAAAAAAAAAAAAAAA==", b"AAAA"), (b"Version: 13", b"Version: 12"), (b"AA==", b"\xff")],
)
def test_a_wrong_key_or_version_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(BadRequest, match="Sec-WebSocket-Key"):
        read_request(UPGRADE.replace(old, new)).upgrade()


@pytest.mark.rule("T6")
@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("br;q=1.0, *;q=0.1", True),
        ("gzip ; q=1.000 ,identity", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=1.001", False),
        ("gzip;q=-1", False),
        ("gzip;q=nan", False),
        ("x-gzip-of-mine", False),
    ],
)
def test_gzip_is_taken_by_whoever_says_so(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes
