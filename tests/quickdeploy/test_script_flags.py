"""What the script is told and cannot use is named before anything changes."""

import pytest

from tests.quickdeploy.sandbox import LACKING_COLLECTOR, Host

ETC = "etc/telflo-collector"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--nosuch"], "There is no option --nosuch."),
        (["--name"], "--name needs a value."),
        (["--name", ""], "--name needs a value."),
        (["--name", "a\nb"], "has a line break"),
        (["--label", "nope"], "has no ="),
        (["--label", "a::b=1"], "cannot name a label"),
        (["--label", "1.5=1"], "cannot name a label"),
        (["--label", "True=1"], "cannot name a label"),
        (["--label", "host.name=x"], "The collector reports host.name itself."),
        (["--label", "service.instance.id=x"], "The collector reports service.instance.id itself."),
        (["--label", "a=C:\\data"], "The value of the label a has"),
        (["--label", 'a="b"'], "The value of the label a has"),
        (["--label", "a=${file:/x}"], "The value of the label a has"),
        (["--name", 'we "b" 1'], "The value of --name has"),
        (["--name", "C:\\data"], "The value of --name has"),
        (["--proxy", "proxy:1"], "is no proxy"),
        (["--dir", "x"], "--dir goes with --no-systemd."),
        (["--config", "nosuch.yaml"], "cannot be read"),
        (["--ca-file", "nosuch.pem"], "cannot be read"),
        (["--collector", "nosuch"], "is no program"),
    ],
)
def test_a_wrong_flag_is_named_and_changes_nothing(
    host: Host, flags: list[str], words: str
) -> None:
    before = host.tree()

    done = host.run(*flags)

    assert done.returncode == 1
    assert words in done.stderr
    assert host.tree() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no program"),
        ("#!/bin/sh\nexit 3\n", "does not run on this host"),
        (LACKING_COLLECTOR, "lacks the opamp extension"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--dry-run"]])
def test_a_collector_that_cannot_be_used_is_told_before_anything_is_downloaded(
    host: Host, text: str, words: str, flags: list[str]
) -> None:
    if text:
        (host.home / "otelcol").write_text(text)
        (host.home / "otelcol").chmod(0o755)
    before = host.tree()

    done = host.run("--collector", "otelcol", *flags)

    assert done.returncode == 1
    assert words in done.stderr
    assert not [path for path in host.server.asked if "opampsupervisor" in path]
    assert host.tree() == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('name=we "b" 1', "The value of --name has"),
        ("label=a=C:\\data", "The value of the label a has"),
        ("label=a=b\tc", "a control character"),
        ("proxy=ftp://x", "is no proxy"),
    ],
)
def test_what_an_earlier_run_kept_is_checked_and_its_file_is_named(
    host: Host, line: str, words: str
) -> None:
    assert host.run().returncode == 0
    (host.root / ETC / "host.conf").write_text(f"{line}\n")
    before = host.tree()

    done = host.run()

    assert done.returncode == 1
    assert words in done.stderr
    assert f"{ETC}/host.conf" in done.stderr
    assert host.tree() == before


def test_a_flag_takes_the_place_of_what_cannot_be_used_any_more(host: Host) -> None:
    assert host.run().returncode == 0
    (host.root / ETC / "host.conf").write_text('name=we "b" 1\n')

    assert host.run("--name", "web 1").returncode == 0
