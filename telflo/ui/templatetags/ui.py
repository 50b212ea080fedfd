"""Tags and filters of the design system: `{% load ui %}`."""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.forms import (
    BoundField,
    CheckboxInput,
    CheckboxSelectMultiple,
    FileInput,
    Select,
    Textarea,
)
from django.forms.boundfield import BoundWidget
from django.http import HttpRequest, QueryDict
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from telflo.base import clock
from telflo.ui import bars, numbers, times
from telflo.ui.vocabulary import Lamp, lamp_for

register = template.Library()

_PART = re.compile(r"(?<=[.:_/-])(?=[^:])")
# Parameters that name a place in a list: they end when a filter or the order changes.
_PLACE = ("page", "cursor", "after", "before")


@register.simple_tag
def icon(name: str, css: str = "i") -> SafeString:
    """Draw a Lucide icon, hidden from screen readers: `{% icon "rocket" "i i-s" %}`."""
    return _icon(str(name), str(css))


@lru_cache(maxsize=512)
def _icon(name: str, css: str) -> SafeString:
    """Render once per name and class: pages repeat the same few icons hundreds of times."""
    drawn = lucide(name, size=16, **{"class": css, "aria-hidden": "true"})
    return mark_safe(drawn)  # noqa: S308 - built as a tree, which escapes what we hand in


@register.simple_tag
def lamp(
    kind: str,
    state: str,
    *,
    since: datetime | None = None,
    word: str = "",
    big: bool = False,
) -> SafeString:
    """Show a state: `{% lamp "status" agent.status since=agent.status_since %}`.

    `word` replaces the vocabulary's word where a number belongs in it; `big` is for page heads.
    """
    drawn = _lamp(kind, str(state), word, big)
    return SafeString(drawn + ago(since, css="since")) if since else drawn


@lru_cache(maxsize=512)
def _lamp(kind: str, state: str, word: str, big: bool) -> SafeString:
    """Draw once per look: tables repeat the same few lamps hundreds of times."""
    shown = lamp_for(kind, state)
    return format_html(
        '<span class="{}{}">{}{}</span>',
        shown.css,
        " big" if big else "",
        _icon(shown.icon, "i spin" if shown.spins else "i") if shown.icon else "",
        word or shown.word,
    )


@register.simple_tag
def lamp_of(kind: str, state: str) -> Lamp:
    """Return a lamp itself: `{% lamp_of "status" "failed" as l %}{{ l.word }}`."""
    return lamp_for(kind, str(state))


@register.simple_tag
def ago(moment: datetime | None, style: str = "bare", css: str = "") -> SafeString:
    """Show a relative time that the browser keeps fresh: `{% ago agent.last_seen %}` -> `5 min`.

    Style `ago` writes `5 min ago`. Nothing known (None) is `never`.
    """
    if moment is None:
        return mark_safe(f'<span class="{css or "muted"}">never</span>')  # noqa: S308 - see below
    shown_css = f' class="{css}"' if css else ""
    # Long tables have hundreds of these. Style and class are words of our templates, the rest is made of numbers.
    return mark_safe(  # noqa: S308
        f'<time datetime="{moment.isoformat(timespec="seconds")}"'
        f' title="{times.absolute(timezone.localtime(moment))}" data-rel="{style}"{shown_css}>'
        f"{times.relative(moment, clock.now(), style)}</time>"
    )


@register.simple_tag
def when(moment: datetime | None, css: str = "") -> SafeString:
    """Show a moment short, `14:19` or `18 Nov`; the browser rewrites it in the reader's zone."""
    if moment is None:
        return mark_safe("")
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-abs{}>{}</time>',
        moment.isoformat(timespec="seconds"),
        times.absolute(local),
        format_html(' class="{}"', css) if css else "",
        times.clock_or_date(local, timezone.localtime(clock.now())),
    )


@register.filter
def num(value: int | str | None) -> str:
    """Group thousands: `{{ 1284|num }}` -> `1,284`; nothing is a dash; text stays as it is."""
    if value is None:
        return "\u2013"
    return numbers.grouped(value) if isinstance(value, int) else str(value)


@register.filter
def counted(value: int, noun: str) -> str:
    """Write a number with its noun: `{{ n|counted:"collector" }}`; `"entry,entries"` if irregular."""
    one, _, many = noun.partition(",")
    return numbers.counted(value, one, many)


@register.filter
def pct(part: float, whole: float) -> str:
    """Write a share: `{{ part|pct:whole }}` -> `93.5 %`."""
    return numbers.percent(part, whole)


@register.filter
def as_json(value: object) -> str:
    """Write stored values as the API has them: `{"version": null}`, never as Python does."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def short(value: object) -> str:
    """Cut the middle out of an id or hash: `019a4c1e…28815b`."""
    return numbers.shortened(str(value))


@register.filter
def breakable(value: object) -> SafeString:
    """Let a long name of a machine's break where its parts end: `deployment.<wbr>environment`."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in _PART.split(str(value))))


@register.filter
def tail(value: object) -> str:
    """Show only the end of an id, for dense tables: `…815b`."""
    return f"…{str(value)[-4:]}"


@register.filter
def initials(name: str) -> str:
    """Return up to two initials: `Mara Lindqvist` -> `ML`."""
    words = [word for word in str(name).replace(".", " ").replace("_", " ").split() if word]
    picked = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in picked).upper() or "?"


@register.simple_tag
def short_id(value: object, what: str = "id") -> SafeString:
    """Show an id or hash shortened, whole in its title, with a copy button."""
    text = str(value)
    return format_html(
        '<span class="idc"><span class="uid" title="{0}">{1}</span>{2}</span>',
        text,
        numbers.shortened(text),
        copy_button(text, f"Copy {what}"),
    )


@register.simple_tag
def copy_button(value: object, label: str = "Copy") -> SafeString:
    """Draw a small button that copies `value`; without script it is not shown."""
    return format_html(
        '<copy-button value="{}"><button class="iconbtn s" type="button" aria-label="{}"'
        ' title="{}">{}</button></copy-button>',
        str(value),
        label,
        label,
        _icon("copy", "i"),
    )


@register.simple_tag
def bar(segments: Iterable[bars.Segment], size: str = "", label: str = "") -> SafeString:
    """Draw segments as one bar; `size` is s, l or nothing. The label defaults to the counts."""
    parts = list(segments)
    rects = format_html_join(
        "",
        '<rect class="f-{}" x="{}" width="{}" height="10"/>',
        ((r.tone, r.x, r.width) for r in bars.lay_out(parts)),
    )
    return format_html(
        '<svg class="bar {}" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>',
        size,
        label or bars.describe(parts),
        rects,
    )


@register.simple_tag
def bar_key(segments: Iterable[bars.Segment]) -> SafeString:
    """Write the key below a bar: colour, word, number; a link where the segment has a URL."""
    return format_html('<div class="key">{}</div>', format_html_join("", "{}", _key_rows(segments)))


def _key_rows(segments: Iterable[bars.Segment]) -> Iterable[tuple[SafeString]]:
    for s in segments:
        body = format_html(
            '<svg viewBox="0 0 8 8" aria-hidden="true"><rect class="f-{}" width="8" height="8"/>'
            "</svg>{} <b>{}</b>",
            s.tone,
            s.label,
            numbers.grouped(s.count),
        )
        yield (
            format_html('<a href="{}">{}</a>', s.url, body)
            if s.url
            else format_html("<span>{}</span>", body),
        )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """Return the query string with some parameters changed; None or "" drops one.

    `{% query status="failed" %}` -> `?fleet=edge-eu&status=failed`. The place in the list is
    dropped unless it is what changes.
    """
    params = _params(context)
    for name in _PLACE:
        params.pop(name, None)
    for name, value in changes.items():
        if value is None or value == "":
            params.pop(name, None)
        else:
            params[name] = str(value)
    return "?" + params.urlencode()


@register.simple_tag(takes_context=True)
def filter_off(context: Context, name: str) -> str:
    """Return the query string without a filter."""
    return query(context, **{name: None})


@register.simple_tag(takes_context=True)
def sort_th(context: Context, key: str, label: str, css: str = "") -> SafeString:
    """Write a table head that sorts by `key` (parameter `sort`, `-key` for descending)."""
    now = _params(context).get("sort", "")
    order = {key: "ascending", f"-{key}": "descending"}.get(now, "")
    return format_html(
        '<th scope="col"{}{}><a href="{}">{}{}</a></th>',
        format_html(' class="{}"', css) if css else "",
        format_html(' aria-sort="{}"', order) if order else "",
        query(context, sort=f"-{key}" if now == key else key),
        label,
        _icon("arrow-down" if order == "descending" else "arrow-up", "i") if order else "",
    )


def _params(context: Context) -> QueryDict:
    """Return a copy of the request's GET parameters, empty ones left out."""
    request: HttpRequest | None = context.get("request")
    params = QueryDict(mutable=True)
    if request is not None:
        for name, values in request.GET.lists():
            params.setlist(name, [value for value in values if value])
    return params


@register.simple_tag
def widget(field: BoundField, css: str = "w-full", placeholder: str = "") -> SafeString:
    """Render a form field's control in our dress."""
    attrs: dict[str, str | bool] = {"class": f"{_control_class(field)} {css}".strip()}
    if placeholder:
        attrs["placeholder"] = placeholder
    described = [f"{field.auto_id}_error"] if field.errors else []
    if not field.errors and field.help_text:
        described = [f"{field.auto_id}_helptext"]
    if described and not field.use_fieldset:
        attrs["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attrs)


@register.simple_tag
def choice(option: BoundWidget, kind: str = "radio") -> SafeString:
    """Render one box of a field with several choices, without its label."""
    option.data["attrs"]["class"] = kind
    return option.tag()


def _control_class(field: BoundField) -> str:
    """Return daisyUI's class for a field's widget."""
    shown = field.field.widget
    if isinstance(shown, CheckboxInput):
        return "checkbox"
    if isinstance(shown, Select):
        return "select"
    if isinstance(shown, FileInput):
        return "file"
    return "textarea" if isinstance(shown, Textarea) else "input"


@register.filter
def choice_kind(field: BoundField) -> str:
    """Return what the boxes of a field with several choices are: radio or checkbox."""
    return "checkbox" if isinstance(field.field.widget, CheckboxSelectMultiple) else "radio"


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Whether a field is one box to tick, whose label stands beside it."""
    shown = field.field.widget
    return isinstance(shown, CheckboxInput) and not isinstance(shown, CheckboxSelectMultiple)
