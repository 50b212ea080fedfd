"""The process's gateway, as the settings want it."""

from channels.layers import get_channel_layer
from django.conf import settings

from opamp.domain import DjangoDomain
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from opamp.protocol.limits import Limits


def make_gateway() -> Gateway:
    """A gateway on the database; it starts with its first connection."""
    return Gateway(DjangoDomain(), get_channel_layer, gateway_options())


def gateway_options() -> GatewayOptions:
    """The settings' sizes, times and limits."""
    return GatewayOptions(
        protocol=_limits(),
        buffer=BufferLimits(
            flush_s=settings.OPAMP_FLUSH_S,
            flush_rows=settings.OPAMP_FLUSH_ROWS,
            heartbeat_flush_s=settings.OPAMP_HEARTBEAT_FLUSH_S,
            rows=settings.OPAMP_BUFFER_ROWS,
            bytes=settings.OPAMP_BUFFER_BYTES,
            share=settings.OPAMP_BUFFER_SHARE_PERCENT / 100,
        ),
        reconcile_s=settings.OPAMP_RECONCILE_S,
        send_timeout_s=settings.OPAMP_SEND_TIMEOUT_S,
        waiting=settings.OPAMP_WAITING,
        waiting_messages=settings.OPAMP_WAITING_MESSAGES,
        waiting_bytes=settings.OPAMP_WAITING_BYTES,
        waiting_share=settings.OPAMP_WAITING_SHARE_PERCENT / 100,
        unfinished_bytes=settings.OPAMP_UNFINISHED_BYTES,
        agents_per_connection=settings.OPAMP_AGENTS_PER_CONNECTION,
        connections_per_token=settings.OPAMP_CONNECTIONS_PER_TOKEN,
        new_uids=settings.OPAMP_NEW_UIDS,
        messages_per_s=settings.OPAMP_MESSAGES_PER_S,
        message_burst=settings.OPAMP_MESSAGE_BURST,
        pace_bytes=settings.OPAMP_PACE_BYTES,
        token_bytes_per_s=settings.OPAMP_TOKEN_BYTES_PER_S,
        token_burst_bytes=settings.OPAMP_TOKEN_BURST_BYTES,
        requests=settings.OPAMP_REQUESTS,
        requests_per_token=settings.OPAMP_REQUESTS_PER_TOKEN,
        connections=settings.OPAMP_CONNECTIONS,
        handshakes=settings.OPAMP_HANDSHAKES,
        handshake_s=settings.OPAMP_HANDSHAKE_S,
        header_bytes=settings.OPAMP_HEADER_BYTES,
        ping_s=settings.OPAMP_PING_S,
        first_message_s=settings.OPAMP_FIRST_MESSAGE_S,
        message_s=settings.OPAMP_MESSAGE_S,
        refusals_per_minute=settings.REFUSALS_PER_MINUTE,
        retry_after_s=settings.OPAMP_RETRY_AFTER_S,
    )


def _limits() -> Limits:
    return Limits(
        message_bytes=settings.OPAMP_MESSAGE_BYTES,
        send_bytes=settings.OPAMP_MESSAGE_BYTES,
        parts=settings.OPAMP_PARTS,
        attributes=settings.OPAMP_ATTRIBUTES,
        attribute_length=settings.OPAMP_ATTRIBUTE_LENGTH,
        value_depth=settings.OPAMP_DEPTH,
        tree_bytes=settings.OPAMP_TREE_BYTES,
        health_depth=settings.OPAMP_DEPTH,
        health_components=settings.OPAMP_HEALTH_COMPONENTS,
        component_details=settings.OPAMP_COMPONENTS,
        component_depth=settings.OPAMP_COMPONENT_DEPTH,
        custom_capabilities=settings.OPAMP_CUSTOM_CAPABILITIES,
        packages=settings.OPAMP_PACKAGES,
        config_files=settings.OPAMP_CONFIG_FILES,
        config_bytes=settings.OPAMP_CONFIG_BYTES,
    )
