"""The canonical hash of a configuration map."""

import hashlib

import pytest

from agents.configmap import configmap_sha256
from agents.snapshot import ConfigFile


@pytest.mark.parametrize("length", [0, 1, 2_046, 2_047, 2_048, 4_094, 8_001])
def test_a_body_of_any_length_is_hashed_whole(length: int) -> None:
    body = bytes(number % 251 for number in range(length))
    parts = (b"a", b"text/yaml", body)
    expected = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    digest = configmap_sha256([ConfigFile("a", body, "text/yaml")])
    assert digest == hashlib.sha256(expected).hexdigest()


def test_the_order_of_files_does_not_count_and_where_one_part_ends_does() -> None:
    one, two = ConfigFile("a", b"1", ""), ConfigFile("b", b"2", "")
    assert configmap_sha256([one, two]) == configmap_sha256([two, one])
    assert configmap_sha256([ConfigFile("ab", b"c", "")]) != configmap_sha256(
        [ConfigFile("a", b"bc", "")]
    )
