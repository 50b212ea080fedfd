"""Forms of configurations and versions."""

from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from configs.collector.errors import ParseError
from configs.collector.limits import Limits
from configs.collector.parse import decoded

_MEBIBYTE = 1024 * 1024


class TextForm(forms.Form):
    """A configuration's text, typed or uploaded, and what goes with it into the version."""

    yaml = forms.CharField(
        label="Collector YAML",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 22, "spellcheck": "false", "autocapitalize": "off", "wrap": "off"}
        ),
    )
    file = forms.FileField(
        label="Or upload a file",
        required=False,
        help_text="It is taken instead of the text above. At most 2 MiB, UTF-8.",
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.txt"}),
    )
    note = forms.CharField(
        label="Note", required=False, max_length=500, help_text="What changed, and why."
    )
    collector_version = forms.CharField(
        label="Collector version",
        required=False,
        max_length=32,
        help_text="The one it is written for, such as 0.158.0.",
    )

    def clean_file(self) -> "UploadedFile[Any] | None":
        """The upload, refused before it is read when it is too large."""
        upload: UploadedFile[Any] | None = self.cleaned_data["file"]
        most = Limits().bytes
        if upload is not None and (upload.size or 0) > most:
            raise forms.ValidationError(
                f"This file has {(upload.size or 0) / _MEBIBYTE:.1f} MiB. A configuration has at most"
                f" {most // _MEBIBYTE} MiB: nothing was saved.",
                code="too-large",
            )
        return upload

    def clean_yaml(self) -> str:
        """The text with the line breaks that people typed: a browser sends each as two characters."""
        return str(self.cleaned_data["yaml"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        """The upload's text, if there is one, in the place of what was typed."""
        data = super().clean() or {}
        upload = data.get("file")
        if upload is not None:
            self._take(upload, data)
        else:
            self._check_typed(data.get("yaml", ""))
        return data

    def _check_typed(self, text: str) -> None:
        """Refuse a text that is missing or too large; the latter is not sent back."""
        if not text.strip() and not self.errors:
            self.add_error("yaml", "Paste the collector's YAML, or upload a file.")
        try:
            decoded(text)
        except ParseError as error:
            self.add_error(
                "yaml", f"{error.message} The text is not shown again because it is too large."
            )
            self._show("")

    def _take(self, upload: "UploadedFile[Any]", data: dict[str, Any]) -> None:
        try:
            data["yaml"] = decoded(upload.read())
        except ParseError as error:
            self.add_error("file", error.message)
            self._check_typed(data.get("yaml", ""))
            return
        # The form shows what was uploaded, should the text be at fault.
        self._show(data["yaml"])

    def _show(self, text: str) -> None:
        """Let the form's answer hold this text in the place of what was typed."""
        shown = cast("QueryDict", self.data).copy()
        shown[self.add_prefix("yaml")] = text
        self.data = shown


class ConfigurationForm(TextForm):
    """A new configuration with its first version."""

    field_order = ["name", "description"]

    name = forms.CharField(label="Name", max_length=100)
    description = forms.CharField(label="Description", required=False, max_length=500)


class DetailsForm(forms.Form):
    """Another name or description."""

    name = forms.CharField(label="Name", max_length=100)
    description = forms.CharField(label="Description", required=False, max_length=500)
