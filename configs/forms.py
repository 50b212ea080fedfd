"""Forms of configurations and versions."""

from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from configs.catalog import shelf
from configs.collector.errors import ParseError
from configs.collector.limits import Limits
from configs.collector.parse import decoded

_MEBIBYTE = 1024 * 1024
_UNSEEN = {"hidden": True, "aria-hidden": "true", "tabindex": "-1"}


def version_choices(chosen: str) -> list[tuple[str, str]]:
    """Collector versions to choose from, the chosen one among them whatever it is."""
    known = shelf.versions()
    others = [chosen] if chosen and chosen not in known else []
    return [("", "No version"), *((one, one) for one in (*others, *known))]


class TextForm(forms.Form):
    """A configuration's text, typed or uploaded, and what goes with it into the version."""

    needs_text = True
    field_order = ["yaml", "file", "note", "collector_version"]

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
        help_text="It takes the place of the text above. At most 2 MiB, UTF-8.",
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.txt", "data-into": "id_yaml"}),
    )
    note = forms.CharField(
        label="Note", required=False, max_length=500, help_text="What changed, and why."
    )
    collector_version = forms.CharField(
        label="Collector version",
        required=False,
        max_length=32,
        widget=forms.Select(),
        help_text="Without one, a setting that is not known is a mere warning.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        select = cast("forms.Select", self.fields["collector_version"].widget)
        select.choices = version_choices(str(self["collector_version"].value() or ""))

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
        if self.needs_text and not text.strip() and not self.errors:
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

    field_order = ["name", "description", *TextForm.field_order]

    name = forms.CharField(label="Name", max_length=100)
    description = forms.CharField(label="Description", required=False, max_length=500)


class DraftForm(TextForm):
    """A draft as a page holds it. base: the text that the person began with · lock_version: of which state of the draft
    that was, none when there was no draft · seen: of the state whose changes they were shown.
    """

    needs_text = False

    base = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs=_UNSEEN))
    lock_version = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput())
    seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput())

    def clean_base(self) -> str:
        """As it is compared with the text."""
        return str(self.cleaned_data["base"]).replace("\r\n", "\n")

    def at(self, lock_version: int | None, **values: object) -> "DraftForm":
        """The same form, valid, for another state of the draft; `values` take the place of what was sent."""
        sent = {**self.cleaned_data, **values, "lock_version": lock_version}
        form = DraftForm({key: "" if one is None else one for key, one in sent.items()})
        form.is_valid()
        return form


class DetailsForm(forms.Form):
    """A name and a description: another one, or that of a copy."""

    name = forms.CharField(label="Name", max_length=100)
    description = forms.CharField(label="Description", required=False, max_length=500)
