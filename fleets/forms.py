"""Forms of fleets, tokens and assignments. Quick deploy's form stands in fleets/deploy_form.py."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django import forms
from django.forms.models import ModelChoiceIterator

from configs.models import ConfigVersion
from fleets.models import ArrivalMode, Fleet
from fleets.tokens import Expiry

EXPIRIES: Final = [
    (Expiry.YEAR.value, "In 1 year"),
    (Expiry.HALF_YEAR.value, "In 180 days"),
    (Expiry.TWO_YEARS.value, "In 2 years"),
    (Expiry.NEVER.value, "Never"),
]
OVERLAPS: Final = [
    ("0", "None: the old one stops enrolling now"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("604800", "7 days"),
    ("2592000", "30 days"),
]
ARRIVALS: Final = [
    (ArrivalMode.MANAGED.value, "Managed: it gets the fleet's version"),
    (ArrivalMode.OBSERVED.value, "Observed: it is shown, and keeps what it runs"),
]
_ENROLS: Final = "Ends enrolment only: collectors that it let in stay."


class GroupedVersions(ModelChoiceIterator[ConfigVersion]):
    """Choices for a select: the empty one, then a group of versions for each configuration. One query.

    The field's own configuration comes first.
    """

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """As the widget reads them."""
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        first = getattr(self.field, "first", None)
        found = sorted(published_versions(), key=lambda v: v.configuration_id != first)
        for name, versions in groupby(found, lambda v: v.configuration.name):
            yield name, [(str(v.pk), version_words(v)) for v in versions]


class VersionChoice(forms.ModelChoiceField[ConfigVersion]):
    """A published version, grouped by its configuration. first: the id of the one whose group comes first."""

    iterator = GroupedVersions
    first: UUID | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=published_versions(), **options)


def published_versions() -> Any:
    """What fleets may be given, newest first in each configuration."""
    found = ConfigVersion.objects.published().without_text().select_related("configuration")
    return found.filter(configuration__archived_at=None).order_by("configuration__name", "-number")


def newest_of_the_only_configuration() -> ConfigVersion | None:
    """What a new fleet most likely runs: nothing while there are several configurations. Two queries at most."""
    found = published_versions()
    configurations = found.order_by().values_list("configuration", flat=True).distinct()[:2]
    newest: ConfigVersion | None = found.first() if len(configurations) == 1 else None
    return newest


def version_words(version: ConfigVersion) -> str:
    """A version in a select: "edge v4, new gateway"."""
    note = version.note if len(version.note) <= 50 else f"{version.note[:49]}…"
    return f"{version}, {note}" if note else str(version)


class FleetForm(forms.Form):
    """A new fleet with its first token."""

    name = forms.CharField(label="Name", max_length=100, help_text="Such as edge-eu.")
    description = forms.CharField(label="Description", required=False, max_length=500)
    version = VersionChoice(
        label="Version",
        required=False,
        empty_label="None: observe only",
        help_text="Its collectors get it on their first connection. Only published versions are here.",
    )
    arrival_mode = forms.ChoiceField(
        label="A collector that comes with a configuration of its own is",
        choices=ARRIVALS,
        initial=ArrivalMode.MANAGED.value,
        widget=forms.RadioSelect,
    )
    expires = forms.ChoiceField(
        label="First enrolment token expires",
        choices=EXPIRIES,
        initial=Expiry.YEAR.value,
        help_text=_ENROLS,
    )

    def __init__(self, *args: Any, may_enrol: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_enrol:
            del self.fields["expires"]

    def wanted(self) -> dict[str, Any]:
        """The arguments for create_fleet_with_token."""
        data = self.cleaned_data
        return {
            **data,
            "arrival_mode": ArrivalMode(data["arrival_mode"]),
            "expires": Expiry(data["expires"]) if "expires" in data else None,
        }


class SettingsForm(forms.Form):
    """What can be changed of a fleet."""

    name = forms.CharField(label="Name", max_length=100)
    description = forms.CharField(label="Description", required=False, max_length=500)
    arrival_mode = forms.ChoiceField(
        label="A collector that comes with a configuration of its own is",
        choices=ARRIVALS,
        widget=forms.RadioSelect,
    )
    expiry_ends_access = forms.BooleanField(
        label="A token's expiry also ends the access of collectors that it let in",
        required=False,
        help_text="Off: an expiry ends enrolment alone.",
    )


class AssignForm(forms.Form):
    """Which version a fleet is given, and why; how: fleets/plan_form.py."""

    version = VersionChoice(label="Version", empty_label=None)
    reason = forms.CharField(label="Reason", required=False, max_length=200)

    def __init__(self, *args: Any, fleet: Fleet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["version"]
        assert isinstance(field, VersionChoice)
        field.first = fleet.version.configuration_id if fleet.version else None


class TokenForm(forms.Form):
    """A new enrolment token."""

    fleet = forms.ModelChoiceField(
        label="Fleet",
        queryset=Fleet.objects.active(),
        to_field_name="slug",
        empty_label="Choose a fleet",
    )
    name = forms.CharField(
        label="Name", max_length=100, help_text="Who uses it, such as “image build”."
    )
    expires = forms.ChoiceField(
        label="Expires", choices=EXPIRIES, initial=Expiry.YEAR.value, help_text=_ENROLS
    )


class RotateForm(forms.Form):
    """How long the old secret goes on enrolling."""

    overlap_seconds = forms.ChoiceField(
        label="Overlap",
        choices=OVERLAPS,
        initial="86400",
        help_text="As long as both secrets enrol: time to put the new one in place.",
    )

    revoke_old = forms.BooleanField(
        label="Revoke the old secret when the overlap is over",
        required=False,
        help_text="Off: it only stops enrolling, and collectors that use it stay connected.",
    )

    def overlap(self) -> timedelta:
        """The overlap as a time."""
        return timedelta(seconds=int(self.cleaned_data["overlap_seconds"]))
