"""Names and addresses of release files."""

import pytest

from fleets.quickdeploy.releases import OFFICIAL_URL, Program, asset, parse_version


def test_the_supervisors_tag_is_one_segment_of_the_address() -> None:
    found = asset(Program.SUPERVISOR, "0.149.0", "linux_arm64")

    folder = f"{OFFICIAL_URL}/cmd%2Fopampsupervisor%2Fv0.149.0"
    assert found.name == "opampsupervisor_0.149.0_linux_arm64"
    assert found.url == f"{folder}/{found.name}"
    assert found.checksum_urls[0] == f"{folder}/checksums.txt"


def test_a_release_before_0_158_has_one_list_and_later_ones_a_file_for_each_asset() -> None:
    older = asset(Program.COLLECTOR, "0.157.0", "linux_amd64")
    newer = asset(Program.COLLECTOR, "0.158.0", "linux_amd64")

    assert older.checksum_urls[0].endswith(
        "/v0.157.0/opentelemetry-collector-releases_otelcol-contrib_checksums.txt"
    )
    assert newer.checksum_urls[0].endswith("/otelcol-contrib_0.158.0_linux_amd64.tar.gz.sha256")
    assert set(map(len, (older.checksum_urls, newer.checksum_urls))) == {2}


def test_a_mirror_has_the_same_layout_below_its_own_address() -> None:
    official = asset(Program.COLLECTOR, "0.158.0", "linux_amd64")
    mirrored = asset(Program.COLLECTOR, "0.158.0", "linux_amd64", mirror="https://m.example/otel/")

    assert mirrored.url == official.url.replace(OFFICIAL_URL, "https://m.example/otel")


@pytest.mark.parametrize(
    "text", ["", "latest", "0.158", "v0.158.0", "0.158.0-rc1", "0.158.0\n", "01.2.3"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        parse_version(text)
