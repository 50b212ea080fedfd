"""Layouts of times, zones and encodings of text: what collectors take is taken, what they refuse is told."""

import pytest

from configs.collector.charsets import is_charset
from configs.collector.timelayouts import gotime_fault, strptime_fault
from configs.collector.zones import is_known, is_refused, meant


@pytest.mark.parametrize(
    "layout",
    [
        "%Y-%m-%dT%H:%M:%S.%L%z",
        "%d/%b/%Y:%H:%M:%S %z",
        "%a, %e %B %y %I:%M:%S,%f %p %Z",
        "%c %D %F %T %R %r %x %X",
        "%L",
        "%%Y%n%t%",
        "",
    ],
)
def test_layouts_of_directives_that_are_taken(layout: str) -> None:
    assert strptime_fault(layout) == ""


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        ("%Q", "no %Q"),
        ("%Y-%m-%d %u", "no %u"),
        ("2006-01-02", "digits"),
        ("%H:%M:%S:%L", "%L has to stand behind"),
        ("%S %f", "%f has to stand behind"),
        ("%%s", "%s has to stand behind"),
        ("%é", "no %é"),
    ],
)
def test_layouts_of_directives_that_are_refused(layout: str, says: str) -> None:
    assert says in strptime_fault(layout)


def test_layouts_of_go() -> None:
    taken = ("2006-01-02T15:04:05.999999Z07:00", "02 Jan 06 15:04:05,999", "999", "anything")
    assert [gotime_fault(one) for one in taken] == [""] * 4
    assert "9s" in gotime_fault("15:04:05:999")
    assert "9s" in gotime_fault("2019-01-02")


@pytest.mark.parametrize(
    "zone",
    [
        *("", "UTC", "Local", "Europe/Berlin", "US/Eastern", "Etc/GMT+5", "EST5EDT"),
        *("America/Argentina/Buenos_Aires", "America/Coyhaique", "Asia/Kolkata", "Asia/Calcutta"),
    ],
)
def test_zones_that_hosts_know(zone: str) -> None:
    assert is_known(zone)
    assert not is_refused(zone)


def test_zones_that_nobody_knows() -> None:
    assert not any(map(is_known, ("Moon/Base", "europe/berlin", "CEST", "posix", "Europe")))
    assert all(map(is_refused, ("/etc/localtime", "../UTC", "Europe/..", "\\UTC")))
    assert not is_refused("Moon/Base")


def test_the_zone_that_is_meant() -> None:
    assert meant("europe/berlin") == meant("Berlin") == "Europe/Berlin"
    assert meant("new york") == "America/New_York"
    assert meant("Moon/Base") == ""


def test_encodings_of_text() -> None:
    known = ("", "utf-8", "UTF-16LE", "utf-8-raw", "nop", "latin1", " windows-1252 ", "GBK", "big5")
    assert all(map(is_charset, known))
    unknown = ("klingon", " utf8 ", "utf-32", "utf-7", "windows", "iso-8859-12")
    assert not any(map(is_charset, unknown))
