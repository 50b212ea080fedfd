"""Addresses: what real collectors of 0.149.0 and 0.158.0 take, and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.collector.goaddresses import grpc_fault, url_fault

NO_HOST = "there is no http:// or https:// before the host"
NO_PORT = "The endpoint has no port."
NO_NUMBER = "The port of the endpoint is no number."


@pytest.mark.parametrize(
    "address",
    [
        *("https://a", "http://a:4318/", "http://[::1]:4318", "http://[::1%25eth0]:1", "HTTP://a"),
        *("https://u:p@a", "https://a?x=%zz", "http://a/%20b", "http://ä", "http://a:1:2"),
        *("http:///x", "//a", "/a", "a", "10.0.0.1", "a:4318", "a.b:1", "mailto:x", "x/a:b", ""),
    ],
)
def test_addresses_that_are_taken(address: str) -> None:
    assert url_fault(address) == ""


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("10.0.0.1:4318", NO_HOST),
        ("a_b:4318/x", NO_HOST),
        (" https://a", NO_HOST),
        ("::", NO_HOST),
        ("1http://a", NO_HOST),
        ("http://a:x", "the port is no number"),
        ("http://a:-1", "the port is no number"),
        ("http://[::1]x", "the port is no number"),
        ("http://[::1", "a [ is never closed"),
        ("http://[zz]", "there is no IPv6 address between [ and ]"),
        ("https://a b", "the host holds characters that no name has"),
        ("http://a%20b", "the host holds characters that no name has"),
        ("http://a\\b", "the host holds characters that no name has"),
        ("http://u p@a", "the user before @ holds characters that have to be escaped"),
        ("%zz", "% is followed by two hexadecimal digits"),
        ("http://a/%zz", "% is followed by two hexadecimal digits"),
        ("http://a#%zz", "% is followed by two hexadecimal digits"),
        ("http://a\tb", "it holds a character that cannot be printed"),
    ],
)
def test_addresses_that_are_refused(address: str, words: str) -> None:
    assert url_fault(address) == words


@pytest.mark.parametrize(
    "target",
    [
        *("a:4317", ":4317", "[::1]:4317", "https://a:443", "http:///a:1", "a:+1", "a:-1"),
        *("unix:///a.sock", "unix://a", "dns:///a:1", "dns://8.8.8.8/a:1", "dns://a:1"),
    ],
)
def test_targets_that_all_collectors_take(target: str) -> None:
    assert grpc_fault(target, has_resolvers=True) == ""
    assert grpc_fault(target, has_resolvers=False) == ""


@pytest.mark.parametrize(
    "target", ["passthrough:///a:1", "xds://auth/svc:1", "kubernetes:///a.b:1", "foo://a?b"]
)
def test_targets_that_newer_collectors_take(target: str) -> None:
    assert grpc_fault(target, has_resolvers=True) == ""
    assert grpc_fault(target, has_resolvers=False).startswith((NO_PORT, NO_NUMBER))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("a", NO_PORT),
        ("https://a", NO_PORT),
        ("xds:///a", NO_PORT),
        ("dns://8.8.8.8/a", NO_PORT),
        ("dns:a:1", NO_PORT),
        ("xds://a:x/b:1", NO_PORT),
        ("::1:4317", NO_PORT),
        ("[::1", NO_PORT),
        ("a]:1", NO_PORT),
        ("a:x", NO_NUMBER),
        ("http://a:4317/", NO_NUMBER),
        ("a:1/v1", NO_NUMBER),
        ("a:99999999999999999999", NO_NUMBER),
        ("unix:/a.sock", "A socket is written with two slashes"),
        ("unix://", "There is no path of the socket"),
    ],
)
def test_targets_that_are_refused(target: str, words: str) -> None:
    assert grpc_fault(target, has_resolvers=True).startswith(words)


@given(st.text("a:/[]@%#?.1- é\\", max_size=20))
def test_nothing_that_is_written_makes_them_fail(text: str) -> None:
    assert isinstance(url_fault(text), str)
    assert isinstance(grpc_fault(text, has_resolvers=True), str)
