"""The messages that tell an agent to do something: restart (K1), or a custom message (K2)."""

from agents.commands import Command, Restart
from opamp.proto.opamp_pb2 import CommandType, ServerToAgent


def message_for(command: Command, instance_uid: bytes) -> ServerToAgent:
    """The message. One with a command carries nothing else: agents ignore all other fields beside it (K1)."""
    message = ServerToAgent(instance_uid=instance_uid)
    if isinstance(command, Restart):
        message.command.SetInParent()
        message.command.type = CommandType.CommandType_Restart
    else:
        message.custom_message.capability = command.capability
        message.custom_message.type = command.type
        message.custom_message.data = command.data
    return message
