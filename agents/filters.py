"""The filters of the collectors list: one class for the page and for the API.

Besides its declared parameters it takes `attr.<key>=value` and `label.<key>=value`, any number of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import django_filters
from django import forms
from django.db.models import Q
from django.http import QueryDict

from agents.attention import needs_attention
from agents.models import Agent, AgentQuerySet, Health, Status
from agents.snapshot import ConfigStatus
from fleets.connection_reach import Reach, has_reach
from fleets.models import RenderedConfig
from telflo.base import clock
from telflo.base.api.filters import YesNoFilter

KEY_PREFIXES: Final = ("attr.", "label.")
"""Parameters that begin so name an attribute or a label after the dot."""
LONGEST_TEXT: Final = 200


class SeveralTexts(forms.Field):
    """A parameter that may be given several times; cleaned to a list of texts."""

    widget = forms.SelectMultiple

    def clean(self, value: Any) -> list[str]:
        """The texts, trimmed, empty ones left out."""
        return [text for item in value or () if (text := str(item).strip()[:LONGEST_TEXT])]


class SeveralFilter(django_filters.Filter):  # type: ignore[misc]  # django-filter ships no types
    """Any of several free texts."""

    field_class = SeveralTexts


class Versions(SeveralTexts):
    """Configuration versions, each by its id or its number."""

    def clean(self, value: Any) -> list[str]:
        """The texts as they came. Raises ValidationError for one that is neither."""
        texts = super().clean(value)
        _, others = _ids_and_others(texts)
        for text in others:
            if not _is_number(text):
                raise forms.ValidationError(
                    f"{text} is not a version. Give its id or its number, such as 2.",
                    code="invalid",
                )
        return texts


class VersionsFilter(SeveralFilter):
    """Any of several versions."""

    field_class = Versions


class AgentFilters(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Which collectors are meant. Values of one parameter are alternatives, parameters all hold."""

    q = django_filters.CharFilter(
        method="by_text",
        max_length=LONGEST_TEXT,
        help_text="part of name, host or uid; or key=value",
    )
    fleet = SeveralFilter(method="by_fleet", help_text="slug or id; several are alternatives")
    status = django_filters.MultipleChoiceFilter(
        field_name="status__status", choices=Status.choices, distinct=False
    )
    health = django_filters.MultipleChoiceFilter(
        method="by_health", choices=Health.choices, help_text="unknown for all that are cut off"
    )
    version = VersionsFilter(
        method="by_version", help_text="configuration version that it runs: id or number"
    )
    collector_version = SeveralFilter(
        method="by_collector_version", help_text="version of the collector build"
    )
    os = SeveralFilter(method="by_os", help_text="os.type as the collector reports it")
    token = SeveralFilter(method="by_token", help_text="id of the token that it uses")
    settings = django_filters.MultipleChoiceFilter(
        method="by_settings",
        choices=Reach.choices,
        help_text="how far the connection settings of its fleet came with it",
    )
    connected = YesNoFilter(field_name="status__connected")
    attention = YesNoFilter(
        method="by_attention",
        help_text="failed, rolled back, drifted, silent or unhealthy",
    )

    class Meta:
        model = Agent
        fields: tuple[str, ...] = ()

    @staticmethod
    def allows(name: str) -> bool:
        """Whether a parameter that is not declared is one of ours (`attr.site`)."""
        return any(name.startswith(prefix) and name != prefix for prefix in KEY_PREFIXES)

    def filter_queryset(self, queryset: AgentQuerySet) -> AgentQuerySet:
        """The agents that every parameter lets through."""
        found: AgentQuerySet = super().filter_queryset(queryset)
        for name, value in self.key_filters():
            prefix, _, key = name.partition(".")
            found = (
                found.with_label(key, value)
                if prefix == "label"
                else found.with_attribute(key, value)
            )
        return found

    def key_filters(self) -> list[tuple[str, str]]:
        """The attribute and label parameters with their values, in order."""
        return [
            (name, value)
            for name, values in _lists(self.data)
            if self.allows(name)
            for value in values
            if value
        ]

    def by_text(self, queryset: AgentQuerySet, _name: str, value: str) -> AgentQuerySet:
        """Part of a name, host or uid; `site=ams` looks in labels and attributes."""
        key, equals, wanted = value.partition("=")
        if equals and key.strip() and wanted.strip():
            return queryset.selected_by(key.strip(), wanted.strip())
        return queryset.search(value)

    def by_fleet(self, queryset: AgentQuerySet, _name: str, value: list[str]) -> AgentQuerySet:
        """Members of these fleets."""
        ids, slugs = _ids_and_others(value)
        return _either(
            queryset, Q(membership__fleet__in=ids) | Q(membership__fleet__slug__in=slugs), value
        )

    def by_health(self, queryset: AgentQuerySet, _name: str, value: list[str]) -> AgentQuerySet:
        """Those whose health counts as one of these words."""
        return queryset.with_health(value) if value else queryset

    def by_attention(self, queryset: AgentQuerySet, _name: str, value: bool) -> AgentQuerySet:
        """Those that need attention, or all others."""
        found = needs_attention(clock.now())
        return queryset.filter(found if value else ~found)

    def by_token(self, queryset: AgentQuerySet, _name: str, value: list[str]) -> AgentQuerySet:
        """Those that use one of these tokens."""
        ids, _ = _ids_and_others(value)
        return _either(queryset, Q(membership__token__in=ids), value)

    def by_settings(self, queryset: AgentQuerySet, _name: str, value: list[str]) -> AgentQuerySet:
        """Those with which the settings of their fleet came so far."""
        return _either(queryset, has_reach(value), value)

    def by_version(self, queryset: AgentQuerySet, _name: str, value: list[str]) -> AgentQuerySet:
        """Those that run one of these versions: the one acknowledged last, else the one before."""
        ids, numbers = _ids_and_others(value)
        rendered = RenderedConfig.objects.filter(
            Q(version__in=ids) | Q(version__number__in=map(int, numbers))
        )
        applied = Q(status__remote_config_status=ConfigStatus.APPLIED)
        return _either(
            queryset,
            (applied & Q(status__remote_config_hash__in=rendered.values("hash")))
            | (~applied & Q(membership__previous__in=rendered.values("id"))),
            value,
        )

    def by_collector_version(
        self, queryset: AgentQuerySet, _name: str, value: list[str]
    ) -> AgentQuerySet:
        """Those whose collector has one of these versions."""
        return _either(queryset, Q(collector_version__in=value), value)

    def by_os(self, queryset: AgentQuerySet, _name: str, value: list[str]) -> AgentQuerySet:
        """Those on one of these systems."""
        return _either(queryset, Q(os_type__in=value), value)


def without(data: QueryDict, *names: str) -> QueryDict:
    """A copy of the parameters without some of them."""
    rest = data.copy()
    for name in names:
        rest.pop(name, None)
    return rest


def in_force(data: QueryDict) -> list[str]:
    """The names of the filter parameters that say something, in the order of the filter bar."""
    declared = [name for name in AgentFilters.base_filters if any(data.getlist(name))]
    return declared + sorted(name for name in data if AgentFilters.allows(name) and data[name])


def _either(queryset: AgentQuerySet, condition: Q, value: list[str]) -> AgentQuerySet:
    return queryset.filter(condition) if value else queryset


def _ids_and_others(values: Iterable[str]) -> tuple[list[UUID], list[str]]:
    """Split what may be an id from what is a name or a number."""
    ids: list[UUID] = []
    others: list[str] = []
    for text in values:
        try:
            ids.append(UUID(text))
        except ValueError:
            others.append(text)
    return ids, others


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10


def _lists(data: Mapping[str, Any] | None) -> Iterable[tuple[str, list[str]]]:
    """The values of each parameter, whether they come as a QueryDict or as a plain mapping."""
    if data is None:
        return []
    if isinstance(data, QueryDict):
        return data.lists()
    return [(name, [str(value)]) for name, value in data.items()]
