"""What metadata.yaml and a builder's manifest say."""

from typing import Any

import pytest

from configs.catalog.building.identity import identity_of
from configs.catalog.building.manifest import Module, manifest_of
from configs.catalog.errors import CatalogError
from configs.collector.catalog_types import Stability
from configs.collector.names import Kind


def metadata(kind: str, **stability: Any) -> dict[str, Any]:
    status = {"class": kind, "stability": stability, "distributions": ["k8s", "contrib"]}
    return {"type": "new_name", "deprecated_type": "old", "status": status}


def test_a_component_has_its_names_signals_and_distributions() -> None:
    found = identity_of(
        metadata("receiver", beta=["logs", "traces"], alpha=["metrics"]), "example.com/r"
    )
    assert found is not None
    assert (found.kind, found.type, found.aliases) == (
        Kind.RECEIVER,
        "new_name",
        frozenset({"old"}),
    )
    assert list(found.signals.items()) == [
        ("traces", Stability.BETA),
        ("metrics", Stability.ALPHA),
        ("logs", Stability.BETA),
    ]
    assert (found.module, found.distributions) == ("example.com/r", ("contrib", "k8s"))


def test_a_connector_has_pairs_and_an_extension_one_stability() -> None:
    connector = identity_of(
        metadata("connector", alpha=["traces_to_metrics", "nonsense_to_logs"]), "m"
    )
    extension = identity_of(metadata("extension", unmaintained=["extension"]), "m")
    assert connector is not None
    assert extension is not None
    assert connector.pairs == {("traces", "metrics"): Stability.ALPHA}
    assert extension.stability is Stability.UNMAINTAINED


@pytest.mark.parametrize(
    "other", [None, [], {}, {"type": "x"}, metadata("pkg"), {**metadata("receiver"), "type": 1}]
)
def test_what_is_no_component_is_none(other: Any) -> None:
    assert identity_of(other, "m") is None


def test_stabilities_that_are_not_known_are_left_out() -> None:
    found = identity_of(metadata("receiver", wonderful=["logs"], beta="logs"), "m")
    assert found is not None
    assert not found.signals


def test_a_manifest_names_the_modules_of_components_alone() -> None:
    found = manifest_of(
        {
            "dist": {"name": "mine", "version": "1.2.3"},
            "receivers": [{"gomod": "example.com/r v1.0.0"}, {"gomod": "damaged"}, "nothing"],
            "providers": [{"gomod": "example.com/p v1.0.0"}],
        }
    )
    assert found == ("mine", "1.2.3", (Module("example.com/r", "v1.0.0"),))


@pytest.mark.parametrize(
    ("document", "says"), [([], "no section dist"), ({"dist": {"name": "mine"}}, "no components")]
)
def test_another_file_is_no_manifest(document: Any, says: str) -> None:
    with pytest.raises(CatalogError, match=says):
        manifest_of(document)
