"""The simulated agent against the server's own session: what the server believes is what is so."""

import pytest

from opamp.proto import opamp_pb2 as pb
from opamp.protocol.framing import decode_frame
from opamp.simulator import shapes
from opamp.simulator.behaviour import Quirk
from tests.simulator.memory import BAD, BETTER, GOOD, UID, Talk, make_agent, offer

STATUS = pb.RemoteConfigStatuses


def talk(version: str = "0.158.0", **behaviour: object) -> Talk:
    made = Talk(make_agent(version, **behaviour))
    made.connect()
    return made


def statuses(conversation: Talk) -> list[tuple[str, str]]:
    return [
        (
            STATUS.Name(m.remote_config_status.status).split("_")[1],
            m.remote_config_status.last_remote_config_hash.hex(),
        )
        for m in conversation.said
        if m.remote_config_status.last_remote_config_hash
    ]


class TestTheStart:
    def test_the_server_believes_what_is_so_and_asks_for_nothing_but_the_components(self) -> None:
        conversation = talk()
        conversation.check()
        assert conversation.server.asked == 0
        assert conversation.said[0].sequence_num == 0
        assert conversation.said[0].HasField("agent_description")
        assert not conversation.said[0].available_components.components
        assert conversation.said[-1].available_components.components

    def test_a_whole_first_report_is_about_8_kb(self) -> None:
        first = make_agent(whole_first_report=True).connected(0.0)
        assert len(first) == 1
        message = decode_frame(first[0].frame)
        assert 7_000 < message.ByteSize() < 9_500
        assert 2_500 < message.effective_config.ByteSize() < 4_500
        nodes = [
            name
            for group in message.health.component_health_map.values()
            for name in group.component_health_map
        ]
        assert len(nodes) >= 12
        assert message.health.status == "StatusOK"

    def test_a_heartbeat_is_24_or_25_bytes_and_comes_after_the_interval(self) -> None:
        conversation = talk()
        before = len(conversation.said)
        conversation.wait(29.9)
        assert len(conversation.said) == before
        conversation.wait(0.2)
        assert [message.ByteSize() for message in conversation.said[before:]] == [24]
        conversation.check()

    def test_after_a_cut_it_is_bare_and_the_belief_still_right(self) -> None:
        conversation = talk()
        conversation.server.flush()
        conversation.agent.lost()
        before = len(conversation.said)
        conversation.connect()
        assert conversation.said[before].ByteSize() == 24
        assert conversation.server.asked == 0
        conversation.check()

    def test_a_lost_message_is_found_and_everything_is_told_again(self) -> None:
        conversation = talk()
        conversation.agent.fall_ill("connection refused", conversation.now)  # never arrives
        conversation.wait(31)
        assert conversation.server.asked == 1
        conversation.check()

    def test_a_server_that_forgot_everything_learns_it_again(self) -> None:
        conversation = talk()
        conversation.server.crash()
        conversation.agent.lost()
        conversation.connect()
        conversation.check()


class TestApplying:
    def test_a_good_one_goes_through_the_recorded_steps(self) -> None:
        conversation = talk()
        before = len(conversation.said)
        config_hash = conversation.offer(GOOD)
        conversation.wait(4.9)
        assert conversation.agent.truth().remote_status == STATUS.RemoteConfigStatuses_APPLYING
        conversation.wait(0.3)
        assert statuses(conversation)[-2:] == [("APPLYING", config_hash), ("APPLIED", config_hash)]
        said = conversation.said[before:]
        assert said[0].effective_config.ByteSize()  # still the old one
        assert said[0].effective_config != said[-2].effective_config
        healths = [m.health.status for m in said if m.HasField("health")]
        assert healths[0] == ""
        assert healths[1:3] == ["StatusStopping", "StatusStopped"]
        assert healths[-1] == "StatusOK"
        conversation.check()
        assert conversation.agent.truth().runs == config_hash

    def test_at_once_means_without_any_waiting(self) -> None:
        conversation = talk(apply_delay_s=0)
        config_hash = conversation.offer(GOOD)
        assert statuses(conversation)[-1] == ("APPLIED", config_hash)
        conversation.check()

    def test_a_newer_supervisor_goes_back_by_itself_and_quotes_the_collector(self) -> None:
        conversation = talk()
        good = conversation.offer(GOOD)
        conversation.wait(6)
        bad = conversation.offer(BAD)
        conversation.wait(6)
        assert statuses(conversation)[-3:] == [
            ("APPLYING", bad),
            ("FAILED", bad),
            ("APPLIED", good),
        ]
        failed = [m for m in conversation.said if m.remote_config_status.error_message]
        assert (
            "'exporters' unknown type: \"nosuch\"" in failed[0].remote_config_status.error_message
        )
        assert conversation.agent.truth().runs == good
        assert conversation.agent.truth().healthy
        conversation.check()

    def test_an_older_one_crashes_again_and_again_and_never_says_why(self) -> None:
        conversation = talk("0.149.0")
        bad = conversation.offer(BAD)
        conversation.wait(11)
        assert statuses(conversation)[-1] == ("FAILED", bad)
        assert conversation.agent.truth().remote_error == shapes.EXITED
        crashes = [m for m in conversation.said if "exited unexpectedly" in m.health.last_error]
        assert len(crashes) >= 3
        assert conversation.agent.truth().runs == ""
        conversation.check()
        good = conversation.offer(GOOD)
        conversation.wait(6)
        assert conversation.agent.truth().runs == good
        conversation.check()

    @pytest.mark.parametrize(("text", "is_refused"), [(BETTER, True), (GOOD, False)])
    def test_a_marker_chooses_what_is_refused(self, text: str, is_refused: bool) -> None:
        conversation = talk(fails=True, fail_marker="otlphttp", fail_error="no route to host")
        config_hash = conversation.offer(text)
        conversation.wait(6)
        answer = "FAILED" if is_refused else "APPLIED"
        assert (answer, config_hash) in statuses(conversation)
        conversation.check()

    def test_what_is_no_yaml_is_refused_without_a_stop(self) -> None:
        conversation = talk()
        config_hash = conversation.offer("receivers: [")
        assert statuses(conversation) == [("FAILED", config_hash)]
        assert conversation.agent.truth().healthy
        conversation.check()

    def test_another_offer_replaces_one_that_is_being_applied(self) -> None:
        conversation = talk()
        conversation.offer(GOOD)
        conversation.wait(1)
        config_hash = conversation.offer(BETTER)
        conversation.wait(6)
        assert conversation.agent.truth().runs == config_hash
        conversation.check()

    def test_an_apply_goes_on_without_a_connection_and_is_told_with_the_next(self) -> None:
        conversation = talk()
        config_hash = conversation.offer(GOOD)
        conversation.agent.lost()
        conversation.wait(6)
        conversation.connect()
        assert statuses(conversation)[-1] == ("APPLIED", config_hash)
        conversation.check()

    def test_the_same_text_again_is_applied_at_once_also_while_it_crashes(self) -> None:
        agent = make_agent("0.149.0")
        agent.connected(0.0)
        config = pb.AgentRemoteConfig(config_hash=b"1")
        config.config.config_map[""].body = BAD.encode()
        agent.receive(pb.ServerToAgent(remote_config=config), 0.0)
        agent.wake(1.0)
        assert agent.truth().remote_status == STATUS.RemoteConfigStatuses_FAILED
        agent.receive(pb.ServerToAgent(remote_config=config), 2.0)
        assert agent.truth().remote_status == STATUS.RemoteConfigStatuses_APPLIED
        assert agent.truth().repeated_offers == 1

    def test_what_failed_may_come_again_once_it_went_back_by_itself(self) -> None:
        conversation = talk()
        for text in (GOOD, "exporters: {nosuch: }", "exporters: {nosuch: }"):
            conversation.offer(text)
            conversation.wait(6)
        assert len(set(conversation.agent.truth().offered)) == 2
        assert conversation.agent.truth().repeated_offers == 0

    def test_an_empty_map_stops_the_collector(self) -> None:
        agent = make_agent()
        agent.connected(0.0)
        config = pb.AgentRemoteConfig(config_hash=b"1", config=pb.AgentConfigMap())
        agent.receive(pb.ServerToAgent(remote_config=config), 0.0)
        truth = agent.truth()
        assert (truth.remote_status, truth.healthy, truth.health) == (1, True, "")

    def test_an_older_collector_lacks_a_component_that_the_newer_has(self) -> None:
        text = GOOD.replace("otlp", "host_metrics")
        newer, older = talk(), talk("0.149.0")
        for conversation in (newer, older):
            conversation.offer(text)
            conversation.wait(6)
            conversation.check()
        assert newer.agent.truth().remote_status == STATUS.RemoteConfigStatuses_APPLIED
        assert older.agent.truth().remote_status == STATUS.RemoteConfigStatuses_FAILED


class TestCommandsAndSettings:
    def test_the_whole_state_is_told_when_it_is_asked(self) -> None:
        conversation = talk()
        conversation.push(flags=1)
        said = conversation.said[-1]
        assert said.HasField("agent_description")
        assert said.available_components.components
        conversation.check()

    def test_an_interval_alone_is_used_at_once(self) -> None:
        conversation = talk()
        settings = pb.ConnectionSettingsOffers(hash=b"1")
        settings.opamp.heartbeat_interval_seconds = 2
        conversation.push(connection_settings=settings)
        before = len(conversation.said)
        conversation.wait(6.5)
        assert len(conversation.said) - before == 3
        assert conversation.agent.destination is None

    def test_complete_settings_end_the_connection_and_begin_anew(self) -> None:
        conversation = talk()
        settings = pb.ConnectionSettingsOffers(hash=b"1")
        settings.opamp.destination_endpoint = "ws://other/v1/opamp"
        settings.opamp.headers.headers.add(key="Authorization", value="Bearer new")
        conversation.push(connection_settings=settings)
        agent = conversation.agent
        assert conversation.said[-1].HasField("agent_disconnect")
        assert agent.destination == ("ws://other/v1/opamp", "Bearer new")
        first = decode_frame(agent.connected(conversation.now)[0].frame)
        assert first.sequence_num == 0
        assert first.health == pb.ComponentHealth()
        assert first.HasField("health")

    def test_a_new_uid_is_used_from_the_next_message_on(self) -> None:
        agent = make_agent()
        agent.connected(0.0)
        new_uid = bytes(range(16))
        reply = pb.ServerToAgent()
        reply.agent_identification.new_instance_uid = new_uid
        said = [decode_frame(message.frame) for message in agent.receive(reply, 1.0)]
        assert {message.instance_uid for message in said} == {new_uid}
        first, last = (
            [m for m in said if m.HasField("agent_description")][index].agent_description
            for index in (0, -1)
        )
        assert first.identifying_attributes[0].value.string_value == str(UID)
        assert last.identifying_attributes[0].value.string_value == str(agent.uid)

    def test_a_restart_hides_what_is_beside_it_and_ends_healthy(self) -> None:
        conversation = talk()
        config_hash = offer(GOOD).hash
        config = pb.AgentRemoteConfig(config_hash=bytes.fromhex(config_hash))
        conversation.push(command=pb.ServerToAgentCommand(), remote_config=config)
        assert conversation.agent.truth().offered == ()
        assert conversation.agent.truth().health == "StatusOK"
        conversation.check()

    def test_it_says_goodbye_and_starts_anew(self) -> None:
        conversation = talk()
        conversation.deliver(conversation.agent.farewell(conversation.now))
        assert conversation.said[-1].HasField("agent_disconnect")
        assert conversation.said[-1].health.last_error == "Supervisor is shutdown"
        conversation.connect()
        assert conversation.said[-1].sequence_num > 0
        conversation.check()

    def test_an_ailment_is_told_and_healed(self) -> None:
        conversation = talk()
        conversation.deliver(conversation.agent.fall_ill("connection refused", conversation.now))
        assert not conversation.agent.truth().healthy
        conversation.check()
        conversation.deliver(conversation.agent.fall_ill("", conversation.now))
        assert conversation.agent.truth().healthy
        conversation.check()


class TestQuirks:
    def test_skipped_numbers_are_noticed_and_repaired(self) -> None:
        conversation = talk(quirk=Quirk.SKIP)
        conversation.wait(600)
        assert conversation.server.asked >= 1
        assert conversation.agent.truth().number > len(conversation.said)

    def test_repeated_messages_change_nothing(self) -> None:
        conversation = talk(quirk=Quirk.REPEAT)
        conversation.wait(100)
        numbers = [message.sequence_num for message in conversation.said]
        assert len(numbers) == 2 * len(set(numbers))
        conversation.check()

    def test_garbage_replaces_heartbeats(self) -> None:
        agent = make_agent(quirk=Quirk.GARBAGE)
        agent.connected(0.0)
        noise = agent.wake(31.0)
        assert [message.kind for message in noise] == ["garbage"]
        assert agent.wake(62.0)[0].frame != noise[0].frame

    def test_a_half_open_one_falls_silent(self) -> None:
        agent = make_agent(quirk=Quirk.HALF_OPEN)
        assert agent.connected(0.0)
        assert agent.wake(31.0) == []
        assert agent.due > 31.0

    def test_a_wanderer_has_a_new_uid_at_every_third_heartbeat(self) -> None:
        agent = make_agent(quirk=Quirk.WANDER)
        agent.connected(0.0)
        uids = [agent.wake(now)[0].uid for now in (31.0, 62.0, 93.0, 124.0)]
        assert uids[0] == uids[1] == UID
        assert uids[2] == uids[3] != UID


class TestChangesOfItsOwn:
    def test_another_description_is_told_at_once(self) -> None:
        conversation = talk()
        agent = conversation.agent
        conversation.deliver(agent.describe({"rack": "7"}, conversation.now))
        assert agent.truth().non_identifying["rack"] == "7"
        conversation.check()

    def test_another_build_has_other_components_and_another_effective_configuration(self) -> None:
        conversation = talk()
        agent = conversation.agent
        before = agent.truth()
        conversation.deliver(agent.upgrade("0.158.1", conversation.now))
        after = agent.truth()
        assert after.components != before.components
        assert after.effective_sha256 != before.effective_sha256
        assert after.identifying["service.version"] == "0.158.1"
        conversation.check()

    def test_what_changes_while_it_is_away_is_told_when_it_is_back(self) -> None:
        conversation = talk()
        agent = conversation.agent
        conversation.server.flush()
        agent.lost()
        assert not agent.describe({"rack": "8"}, conversation.now)
        assert not agent.upgrade("0.158.2", conversation.now)
        conversation.connect()
        conversation.check()


class TestWhatItHoldsOfSettings:
    def settings(self, mark: int, interval_s: int = 5) -> pb.ConnectionSettingsOffers:
        return pb.ConnectionSettingsOffers(
            hash=bytes([mark]) * 32,
            opamp=pb.OpAMPConnectionSettings(heartbeat_interval_seconds=interval_s),
            own_metrics=pb.TelemetryConnectionSettings(destination_endpoint=f"http://{mark}/"),
        )

    def test_it_says_which_it_holds_when_it_can(self) -> None:
        able = shapes.ALL_CAPABILITIES | shapes.REPORTS_SETTINGS_STATUS
        for capabilities in (shapes.ALL_CAPABILITIES, able):
            conversation = talk(capabilities=capabilities)
            conversation.push(connection_settings=self.settings(1))
            held = conversation.agent.truth().settings
            assert (held.hash, held.interval_s) == ("01" * 32, 5)
            assert dict(held.telemetry) == {"metrics": "http://1/"}
            said = [m for m in conversation.said if m.HasField("connection_settings_status")]
            assert bool(said) == held.is_acknowledged == (capabilities == able)
            conversation.check()

    def test_a_hash_that_comes_again_is_counted_unless_the_server_could_not_know(self) -> None:
        able = shapes.ALL_CAPABILITIES | shapes.REPORTS_SETTINGS_STATUS
        for capabilities, after_a_cut in ((shapes.ALL_CAPABILITIES, 1), (able, 2)):
            conversation = talk(capabilities=capabilities)
            agent = conversation.agent
            for mark in (1, 2, 1):
                conversation.push(connection_settings=self.settings(mark))
            assert agent.truth().settings.repeated == 0
            conversation.push(connection_settings=self.settings(1))
            assert agent.truth().settings.repeated == 1
            conversation.server.flush()
            agent.lost()
            conversation.connect()
            conversation.push(connection_settings=self.settings(1))
            assert agent.truth().settings.repeated == after_a_cut
