"""The form of a subscription."""

from typing import Any, Final
from uuid import UUID

from django import forms

from fleets.models import Fleet
from notices.kinds import LOOKS, ROLLOUT_KINDS
from notices.models import Channel, Subscription
from notices.services import Wish

HOLDS: Final = {0: "at once", 120: "2 minutes", 300: "5 minutes", 900: "15 minutes", 3600: "1 hour"}
_URLS: Final = {
    Channel.WEBHOOK: ("URL", "Each notice is a signed POST of JSON. It has to answer 2xx within 10 s."),
    Channel.SLACK: (
        "Incoming webhook URL",
        "From Slack, Mattermost or whatever takes {“text”: …}. It is a secret, so it is not shown again.",
    ),
}  # fmt: skip


class SubscriptionForm(forms.Form):
    """What somebody is told, and where. The fields of a channel that it is not are left out."""

    name = forms.CharField(label="Name", max_length=100, help_text="For this list and the log.")
    url = forms.CharField(label="URL", max_length=1_000)
    recipients = forms.CharField(
        label="To", help_text="E-mail addresses, separated by commas.", max_length=2_000
    )
    kinds = forms.MultipleChoiceField(
        label="Rollouts",
        choices=[(kind.value, LOOKS[kind].word) for kind in ROLLOUT_KINDS],
        initial=[kind.value for kind in ROLLOUT_KINDS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    unhealthy_from = forms.CharField(
        label="Unhealthy collectors of a fleet, from",
        required=False,
        max_length=8,
        help_text="A number such as 5, or a share such as 10%. Empty: never.",
    )
    gone_from = forms.CharField(
        label="Disconnected collectors of a fleet, from",
        required=False,
        max_length=8,
        help_text="The same. Stale ones count too, until they are forgotten.",
    )
    hold_s = forms.TypedChoiceField(
        label="When it lasts for",
        coerce=int,
        choices=list(HOLDS.items()),
        initial=120,
        help_text="What is over before is not told. What lasts is told once, and so is its end.",
    )
    fleets = forms.MultipleChoiceField(
        label="Fleets", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self, *args: Any, channel: Channel, one: Subscription | None, **kwargs: Any
    ) -> None:
        if one is not None:
            kwargs["initial"] = _initial(one)
        super().__init__(*args, **kwargs)
        fleets = Fleet.objects.active().order_by("name").values_list("id", "name")
        self.fields["fleets"].choices = [(str(key), name) for key, name in fleets]  # type: ignore[attr-defined]
        self.fields["fleets"].help_text = "None chosen: all fleets, later ones too."
        if channel == Channel.EMAIL:
            del self.fields["url"]
        else:
            del self.fields["recipients"]
            self._name_url(channel, one)
        if one is not None and one.hold_s not in HOLDS:
            odd = (one.hold_s, f"{one.hold_s} seconds")
            self.fields["hold_s"].choices = [*HOLDS.items(), odd]  # type: ignore[attr-defined]

    def _name_url(self, channel: Channel, one: Subscription | None) -> None:
        field = self.fields["url"]
        field.label, field.help_text = _URLS[channel]
        if one is not None:
            field.required = False
            field.label = f"New {field.label}"
            field.help_text = f"Empty: {one.target} stays."

    def wish(self) -> Wish:
        """What was typed."""
        data = self.cleaned_data
        return Wish(
            name=data["name"],
            kinds=data["kinds"],
            fleets=[UUID(key) for key in data["fleets"]],
            unhealthy_from=data["unhealthy_from"],
            gone_from=data["gone_from"],
            hold_s=data["hold_s"],
            url=data.get("url", ""),
            recipients=data.get("recipients", "").replace(";", ",").split(","),
        )


def _initial(one: Subscription) -> dict[str, Any]:
    same = ("name", "kinds", "unhealthy_from", "gone_from", "hold_s")
    return {
        **{name: getattr(one, name) for name in same},
        "fleets": one.fleet_ids,
        "recipients": ", ".join(one.recipients),
    }
