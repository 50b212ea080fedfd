"""Runs in the environment of opentelemetry-opamp-client: an agent that takes whatever it is given.

Arguments: endpoint and token. Writes a JSON line for each thing that happens; ends with its standard input.
"""

import json
import sys
from typing import Any

from opentelemetry._opamp.agent import OpAMPAgent
from opentelemetry._opamp.callbacks import MessageData, OpAMPCallbacks
from opentelemetry._opamp.client import OpAMPClient
from opentelemetry._opamp.proto import opamp_pb2

POLL_S = 1


def tell(event: str, **what: Any) -> None:
    """One line for the test."""
    sys.stdout.write(json.dumps({"event": event, **what}) + "\n")
    sys.stdout.flush()


class Taker(OpAMPCallbacks):  # type: ignore[misc]  # its package is not in this environment
    """Applies each configuration at once, and says so."""

    def on_connect_failed(self, agent: OpAMPAgent, client: OpAMPClient, error: Exception) -> None:
        """The server did not answer, or not with 200."""
        tell("failed", error=str(error))

    def on_error(
        self,
        agent: OpAMPAgent,
        client: OpAMPClient,
        error_response: opamp_pb2.ServerErrorResponse,
    ) -> None:
        """The server says what is wrong."""
        tell("error", error=error_response.error_message)

    def on_message(self, agent: OpAMPAgent, client: OpAMPClient, message: MessageData) -> None:
        """Take an offer."""
        offered = message.remote_config
        if offered is None:
            return
        files = {name: file.body.decode() for name, file in offered.config.config_map.items()}
        tell("config", hash=offered.config_hash.hex(), files=files)
        client.update_effective_config(files, "text/yaml")
        applied = opamp_pb2.RemoteConfigStatuses.RemoteConfigStatuses_APPLIED
        status = client.update_remote_config_status(offered.config_hash, applied)
        if status is not None:
            agent.send(client.build_remote_config_status_response_message(status))
            agent.send(client.build_full_state_message())


def main(endpoint: str, token: str) -> None:
    """Run until standard input ends."""
    client = OpAMPClient(
        endpoint=endpoint,
        headers={"Authorization": f"Bearer {token}"},
        agent_identifying_attributes={"service.name": "python-program", "service.version": "1.2.3"},
        agent_non_identifying_attributes={"host.name": "python-host"},
    )
    agent = OpAMPAgent(interval=POLL_S, callbacks=Taker(), client=client)
    agent.start()
    tell("started")
    sys.stdin.read()
    agent.stop(timeout=5)
    tell("stopped")


if __name__ == "__main__":
    main(*sys.argv[1:])
