"""The prepared bytes are what the generated code would have written."""

from hypothesis import given
from hypothesis import strategies as st

from opamp.proto import opamp_pb2 as pb
from opamp.protocol.framing import decode_frame
from opamp.simulator import shapes, wire, workload
from opamp.simulator.hosts import Host
from tests.simulator.memory import UID, make_agent


@given(number=st.integers(0, 2**64 - 1), mask=st.integers(0, 2**64 - 1))
def test_a_bare_message_is_byte_for_byte_that_of_the_generated_code(number: int, mask: int) -> None:
    built = wire.frame(UID.bytes, number, wire.number_field(wire.CAPABILITIES, mask))
    message = pb.AgentToServer(instance_uid=UID.bytes, sequence_num=number, capabilities=mask)
    assert built == b"\0" + message.SerializeToString()


def test_the_first_message_is_byte_for_byte_that_of_the_generated_code() -> None:
    frame = make_agent().connected(1_795_379_157.25)[0].frame
    assert frame == b"\0" + decode_frame(frame).SerializeToString(deterministic=True)


def test_all_that_a_real_supervisor_says_of_itself_is_there() -> None:
    message = decode_frame(make_agent(whole_first_report=True).connected(1_795_379_157.25)[0].frame)
    assert message.capabilities == shapes.ALL_CAPABILITIES
    described = message.agent_description
    assert [one.key for one in described.identifying_attributes] == [
        "service.instance.id",
        "service.name",
        "service.version",
    ]
    rest = {one.key: one.value.string_value for one in described.non_identifying_attributes}
    assert rest["host.name"] == "web-17"
    assert message.health.status_time_unix_nano == 1_795_379_157_250_000_000
    file = message.effective_config.config_map.config_map[""]
    assert file.content_type == "text/yaml"
    assert str(UID).encode() in file.body
    assert b"web-17" in file.body
    assert b"{" + b"host}" not in file.body
    kinds = message.available_components.components
    assert kinds["receivers"].sub_component_map["otlp"].metadata[0].value.string_value == (
        "go.opentelemetry.io/collector/receiver/otlpreceiver v0.158.0"
    )
    assert message.available_components.hash == workload.components_hash("0.158.0")


def test_local_and_remote_are_merged_as_supervisors_do() -> None:
    local = "receivers:\n  otlp: {a: 1}\nservice:\n  extensions: [health_check]\n"
    remote = "receivers:\n  otlp: {b: [2]}\nservice:\n  extensions: [pprof]\n"
    last = "receivers:\n  otlp: {b: [3]}\n"
    merged = workload.merge(local, (("", last), ("a", remote)))
    by_hand = workload.merge(local, (("", last),), "receivers:\n  otlp: {b: [4]}\n")
    assert "- 4" in by_hand
    assert "- 3" not in by_hand
    loaded = workload.run(merged, "0.158.0")
    assert loaded.parts["extensions"] == (
        "extension:opamp",
        "extension:health_check",
        "extension:pprof",
    )
    body = loaded.body(Host("a"), "id")
    assert b"a: 1" in body
    assert b"- 3" in body
    assert b"- 2" not in body


def test_the_hash_is_that_by_which_the_server_knows_the_text() -> None:
    running = workload.run(workload.merge(shapes.LOCAL_CONFIG, ()), "0.158.0")
    host = Host("a")
    message = pb.EffectiveConfig.FromString(running.effective_config(host, "id"))
    assert message.config_map.config_map[""].body == running.body(host, "id")
