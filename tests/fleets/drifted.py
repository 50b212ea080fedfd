"""A collector that runs something else than it should."""

from typing import Any

from agents.models import Agent, EffectiveConfig
from agents.snapshot import ConfigFile
from agents.store.values import files_to_text
from telflo.base import clock
from tests.factories import (
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)

SECRET = "Bearer abcdefghij0123456789"
INTENDED = f"""
receivers: {{otlp: }}
processors: {{batch: {{timeout: 60s}}}}
exporters: {{otlp: {{endpoint: "a:4317", headers: {{x-key: "{SECRET}"}}}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}}}}}
"""
PRINTED = """
receivers: {otlp: {transport: tcp}, kafka: {auth: {password: '[REDACTED]'}}}
processors: {batch: {timeout: 2m0s}}
exporters: {otlp: {endpoint: "a:4317", headers: [{name: x-key, value: Bearer zyxwvutsrq9876543210}]}}
extensions: {opamp: {instance_uid: x}}
service:
  extensions: [opamp]
  pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}}
"""


def drifted_collector(printed: str = PRINTED, **row: Any) -> Agent:
    """A collector that should run INTENDED, and says that it runs `printed`."""
    version = make_version(configuration=make_configuration(name="drifting"), yaml=INTENDED)
    files = [ConfigFile("", printed.encode(), "text/yaml")]
    effective = EffectiveConfig.objects.create(
        sha256="a" * 64, files=files_to_text(files), size=1, created_at=clock.now()
    )
    return make_collector(
        name="edge-1",
        fleet=make_fleet(name="drifting", version=version),
        desired=make_rendered(version=version),
        effective_config=effective,
        **{"status": "drifted", **row},
    )
