"""Drafts as people edit them: texts, editors, and what a page would send."""

import re
from html import unescape

from django.test import Client

from configs.models import Configuration
from telflo.base.access import Role
from telflo.base.activity import Actor
from tests.factories import make_person

SECRET = "hunter2hunter2"
TEXT = f"""\
receivers: {{otlp: {{protocols: {{grpc: }}}}}}
exporters:
  otlp_grpc:
    endpoint: gateway:4317
    headers:
      api-key: {SECRET}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
"""
ONE = TEXT.replace("gateway", "one")
OTHER = TEXT + "# by another\n"


def path_of(configuration: Configuration) -> str:
    return f"/configurations/{configuration.pk}/draft/"


def editor(name: str) -> tuple[Client, Actor]:
    person = make_person(role=Role.EDITOR, username=name)
    client = Client()
    client.force_login(person)
    return client, Actor.person(person)


def form_of(html: str) -> dict[str, str]:
    """What the page's form would send as it is."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\d*)"', html))
    texts = re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', html, re.DOTALL)
    return {**fields, **{name: unescape(text) for name, text in texts}}
