"""Mistakes in templates that nobody would see until a page is looked at."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from telflo.ui.templatetags.ui import breakable

TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))
BASE = Path(settings.BASE_DIR)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(BASE)))
def test_a_template_keeps_to_the_rules_of_the_kit(path: Path) -> None:
    text = path.read_text()
    lost = re.findall(r'\s:[a-z_-]+="[^"{]*\|[^"]*"', text)
    assert not lost, 'a filter in a :attribute is dropped silently; write :x="{{ y|filter }}"'
    twice = re.findall(r'<c-[^>]*\s[a-z_-]+="\{\{ ?[a-z_.]+ ?\}\}"', text)
    assert not twice, 'data in a plain attribute is escaped twice; write :x="y"'
    assert not re.search(r"\sstyle=", text), "the content security policy drops inline styles"
    assert not re.search(r"\son[a-z]+=|\bhx-on", text), "no inline script"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "no inline script"


def test_a_long_key_may_break_where_its_parts_end_and_stays_escaped() -> None:
    assert breakable("k8s.pod_name") == "k8s.<wbr>pod_<wbr>name"
    assert breakable("a.<b>.") == "a.<wbr>&lt;b&gt;."
