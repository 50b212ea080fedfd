"""The form of quick deploy: what a command installs, in the words of DeploymentOptions."""

from datetime import timedelta
from typing import Any, Final

from django import forms

from fleets.models import Platform
from fleets.quickdeploy.options import LONGEST_PATH, LONGEST_PROXY, DeploymentOptions
from fleets.quickdeploy.releases import KNOWN_VERSIONS
from fleets.quickdeploy.services import MOST_USES
from telflo.base.errors import DomainError

NEWEST: Final = KNOWN_VERSIONS[0].version
LIFETIMES: Final = [
    ("1", "1 hour"),
    ("24", "24 hours"),
    ("168", "7 days"),
    ("720", "30 days"),
]
_VERSIONS: Final = {"list": "versions", "autocomplete": "off", "spellcheck": "false"}
_LINES: Final = {"rows": 3, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class DeployForm(forms.Form):
    """What hosts get. Fields have the names of the options, so that a refusal stands at its field."""

    platform = forms.ChoiceField(
        label="Platform",
        choices=Platform.choices,
        initial=Platform.LINUX_AMD64.value,
        widget=forms.RadioSelect,
    )
    supervisor_version = forms.CharField(
        label="Supervisor",
        max_length=32,
        initial=NEWEST,
        widget=forms.TextInput(attrs=_VERSIONS),
    )
    collector_version = forms.CharField(
        label="Collector (contrib)",
        max_length=32,
        initial=NEWEST,
        widget=forms.TextInput(attrs=_VERSIONS),
    )
    transport = forms.ChoiceField(
        label="Transport",
        choices=[("ws", "WebSocket: at once"), ("http", "Plain HTTP: at the next poll")],
        initial="ws",
    )
    max_uses = forms.IntegerField(
        label="Hosts", min_value=1, max_value=MOST_USES, initial=1, help_text="How many may use it."
    )
    lifetime = forms.TypedChoiceField(
        label="Works for",
        choices=LIFETIMES,
        initial="24",
        coerce=lambda hours: timedelta(hours=int(hours)),
    )
    automatic_rollback = forms.BooleanField(
        label="The supervisor goes back by itself when a configuration fails",
        required=False,
        initial=True,
        help_text="Supervisors from 0.158.0 can; older ones are not given the key.",
    )
    collector = forms.CharField(
        label="Collector that is there already",
        required=False,
        max_length=LONGEST_PATH,
        help_text="Its path on the host. Empty: one is installed.",
    )
    config_files = forms.CharField(
        label="Local files to merge",
        required=False,
        help_text="Paths on the host, one a line. The fleet's version is merged over them.",
        widget=forms.Textarea(attrs=_LINES),
    )
    labels = forms.CharField(
        label="Labels",
        required=False,
        help_text="key=value, one a line. The collectors report them as attributes.",
        widget=forms.Textarea(attrs=_LINES),
    )
    secret_environment = forms.CharField(
        label="Secret environment values",
        required=False,
        help_text="NAME=value, one a line: for ${env:NAME} in the configuration. Stored encrypted, given"
        " to each host once. Empty: the script asks on the host.",
        widget=forms.Textarea(attrs=_LINES),
    )
    proxy = forms.CharField(label="Proxy", required=False, max_length=LONGEST_PROXY)

    def clean_config_files(self) -> tuple[str, ...]:
        """The paths."""
        return tuple(_lines(self.cleaned_data["config_files"]))

    def clean_labels(self) -> dict[str, str]:
        """The labels by their keys."""
        return _pairs(self.cleaned_data["labels"], "key=value, such as site=ams")

    def clean_secret_environment(self) -> dict[str, str]:
        """The values by the names of their variables."""
        return _pairs(self.cleaned_data["secret_environment"], "NAME=value, such as API_KEY=…")

    def values(self) -> dict[str, Any]:
        """The arguments for create_deployment."""
        data = self.cleaned_data
        options = DeploymentOptions(
            transport=data["transport"],
            collector=data["collector"],
            config_files=data["config_files"],
            labels=data["labels"],
            proxy=data["proxy"],
            automatic_rollback=data["automatic_rollback"],
        )
        plain = ("platform", "supervisor_version", "collector_version", "max_uses", "lifetime")
        return {
            **{name: data[name] for name in plain},
            "options": options,
            "secret_environment": data["secret_environment"],
        }

    def refuse(self, error: DomainError) -> None:
        """Show why create_deployment refuses these values, at the field that it names if there is one."""
        name = error.field.rpartition("/")[2]
        self.add_error(name if name in self.fields else None, error.message)

    @property
    def has_options(self) -> bool:
        """Whether one of the folded options was used or is at fault, so that they are shown open."""
        folded = ("collector", "config_files", "labels", "secret_environment", "proxy")
        return any(self[name].errors or (self.is_bound and self[name].value()) for name in folded)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pairs(text: str, form: str) -> dict[str, str]:
    pairs = {}
    for number, line in enumerate(_lines(text), start=1):
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            # The line itself is not repeated: it may be a secret.
            raise forms.ValidationError(f"Line {number} is not of the form {form}.")
        pairs[key.strip()] = value.strip()
    return pairs
