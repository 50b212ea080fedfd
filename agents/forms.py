"""Forms of the collectors' pages."""

from typing import Any

from django import forms

from fleets.models import Fleet
from telflo.ui.asking import LONGEST_REASON


class LabelsField(forms.CharField):
    """Labels as lines of key=value; cleaned to a dictionary."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """A dictionary as lines."""
        if isinstance(value, dict):
            return "\n".join(f"{key}={text}" for key, text in sorted(value.items()))
        return value

    def clean(self, value: Any) -> dict[str, str]:
        """The labels. Raises ValidationError for a line without a key or given twice."""
        labels: dict[str, str] = {}
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            key, equals, text = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not equals or not key:
                raise forms.ValidationError(f"Line {number}: write key=value, as in site=ams.")
            if key in labels:
                raise forms.ValidationError(f"Line {number}: {key} is there twice. Keep one.")
            labels[key] = text
        return labels


class AgentForm(forms.Form):
    """The name and the labels that a person gives."""

    name = forms.CharField(
        label="Name",
        max_length=200,
        required=False,
        help_text="Empty: the name that the collector reports.",
    )
    labels = LabelsField(
        label="Labels",
        required=False,
        help_text="One key=value a line. Kept here, not on the host; filters and selectors find them.",
    )


class MoveForm(forms.Form):
    """Where to move, and why."""

    fleet = forms.ModelChoiceField(
        queryset=Fleet.objects.none(), label="Fleet", empty_label="Choose a fleet"
    )
    reason = forms.CharField(max_length=LONGEST_REASON, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["fleet"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Fleet.objects.active()


class LabelForm(forms.Form):
    """Labels to set or take off on many collectors."""

    labels = LabelsField(
        label="Set these", required=False, help_text="One key=value a line. Other labels stay."
    )
    remove = forms.CharField(
        label="Take off", required=False, help_text="Keys, separated by blanks.", max_length=500
    )

    def clean(self) -> dict[str, Any]:
        """There is something to do."""
        data = super().clean() or {}
        data["remove"] = data.get("remove", "").replace(",", " ").split()
        if not self.errors and not data.get("labels") and not data["remove"]:
            raise forms.ValidationError(
                "Nothing to change: give a label to set or a key to take off."
            )
        return data


class ReasonForm(forms.Form):
    """Why, for the activity log."""

    reason = forms.CharField(max_length=LONGEST_REASON, required=False)


class NewNameForm(forms.Form):
    """What the configuration is called that a collector's becomes."""

    name = forms.CharField(label="Name of the configuration", max_length=100)
