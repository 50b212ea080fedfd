"""What one session refuses because it is too much."""

from datetime import timedelta

import pytest

from agents.snapshot import ComponentHealth
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.anyvalue import attributes_from_json
from opamp.protocol.limits import Limits
from tests.protocol.sessions import refusal, said, session
from tests.protocol.world import FULL_STATE, START


@pytest.mark.rule("A5", "M7")
class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "problem"),
        [
            (Limits(attributes=2), "more than 2 attributes"),
            (Limits(attribute_length=3), "longer than 3"),
            (Limits(value_depth=1), "1 levels deep"),
            (Limits(health_depth=2), "health is nested"),
            (Limits(health_components=2), "more than 2 components"),
            (Limits(component_depth=1), "available_components is nested"),
            (Limits(component_details=1), "more than 1 entries"),
            (Limits(config_files=1), "2 files"),
            (Limits(config_bytes=5), "6 bytes"),
            (Limits(custom_capabilities=1), "2 entries"),
            (Limits(packages=1), "package_statuses has 2 entries"),
            (Limits(hash_bytes=1), "hash of remote_config_status has 2 bytes"),
            (Limits(hash_bytes=2), "hash of available_components has 3 bytes"),
            (Limits(hash_bytes=3), "hash of connection_settings_status has 4 bytes"),
            (Limits(tree_bytes=15), "health has 16 bytes"),
            (Limits(tree_bytes=29), "available_components has 30 bytes"),
        ],
    )
    def test_too_much_of_anything_is_refused_by_name(self, limits: Limits, problem: str) -> None:
        assert problem in refusal(session(limits).receive(rich(), START))

    def test_the_same_message_is_taken_within_the_limits(self) -> None:
        assert session().receive(rich(), START).patch is not None

    def test_the_metadata_of_all_components_is_counted_together(self) -> None:
        message = rich()
        for name in ("receivers", "exporters"):
            node = message.available_components.components[name]
            node.metadata.extend(attributes_from_json({"a": 1, "b": 2}))
        assert session(Limits(component_details=4)).receive(message, START).patch is not None
        problem = refusal(session(Limits(component_details=3)).receive(message, START))
        assert "more than 3 attributes" in problem

    def test_a_refused_message_leaves_a_doubt_that_is_asked_about_later(self) -> None:
        one = session(Limits(config_files=1))
        refusal(one.receive(rich(), START))
        assert one.receive(said(6), START).reply.flags == 0
        assert one.receive(said(7), START + timedelta(seconds=30)).reply.flags == FULL_STATE

    def test_a_health_as_deep_as_protobuf_allows_is_refused_and_not_a_crash(self) -> None:
        health = pb.ComponentHealth()
        for _ in range(45):
            outer = pb.ComponentHealth()
            outer.component_health_map["x"].CopyFrom(health)
            health = outer
        assert "levels deep" in refusal(session().receive(said(5, health=health), START))

    def test_a_long_error_is_cut_in_the_middle(self) -> None:
        health = pb.ComponentHealth(last_error="begin" + "x" * 100 + "end")
        patch = session(Limits(text_length=20)).receive(said(5, health=health), START).patch
        assert patch is not None
        assert isinstance(patch.health, ComponentHealth)
        assert patch.health.last_error.startswith("begin")
        assert patch.health.last_error.endswith("end")
        assert "88 characters left out" in patch.health.last_error


def rich() -> pb.AgentToServer:
    """A message with some of everything."""
    message = said(5)
    message.agent_description.identifying_attributes.extend(
        attributes_from_json({"name": "collector", "nested": {"inner": [1]}})
    )
    message.health.component_health_map["a"].component_health_map["b"].healthy = True
    message.effective_config.config_map.config_map["one"].body = b"123"
    message.effective_config.config_map.config_map["two"].body = b"456"
    message.remote_config_status.last_remote_config_hash = b"\x01\x02"
    message.available_components.hash = b"\x01\x02\x03"
    message.available_components.components["receivers"].sub_component_map["otlp"].SetInParent()
    message.connection_settings_status.last_connection_settings_hash = b"\x01\x02\x03\x04"
    message.custom_capabilities.capabilities.extend(["io.a/1", "io.b/1"])
    for name in ("one", "two"):
        message.package_statuses.packages[name].agent_has_version = "1"
    return message
