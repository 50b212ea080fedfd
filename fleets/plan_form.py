"""The plan editor's forms: stages as rows of text, and what holds for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any, Final

from django import forms
from django.http import QueryDict

from fleets.rollouts.counts import Budget
from fleets.rollouts.durations import BadDuration, parse_duration
from fleets.rollouts.selector import WRITTEN, BadSelector, parse_selector
from fleets.rollouts.shares import MOST_STAGES, BadShares, Share
from fleets.rollouts.strategy import PRESETS, StagePlan, Strategy
from fleets.rollouts.windows import BadWindow, parse_window
from telflo.ui.numbers import counted, lasting

PRESET_WORDS: Final = {
    "canary": "Canary",
    "all_at_once": "All at once",
    "one_by_one": "One by one",
}
PRESET_MEANS: Final = {
    "canary": "One collector, then 10 %, 50 % and everybody. Each is watched before the next begins; a failure more"
    " than may be takes everything back.",
    "all_at_once": "Everybody at once. A failure pauses it; nothing is taken back by itself.",
    "one_by_one": "One collector after the other. The first failure takes everything back.",
}
FIRST_PRESET: Final = "canary"
_KINDS: Final = [("count", "Count"), ("percent", "Percent"), ("selector", "Label")]
_SMALL: Final = {"class": "input w-full"}
LONGEST_NAME: Final = 60
_SELECTOR_HELP: Final = (
    f"By labels and attributes of collectors: {WRITTEN}; with commas between them all have to hold."
)


class DurationField(forms.CharField):
    """A time as people type it."""

    def clean(self, value: Any) -> timedelta | None:
        """A timedelta, None for nothing."""
        text = super().clean(value)
        try:
            return parse_duration(text) if text else None
        except BadDuration as problem:
            raise forms.ValidationError(str(problem)) from None


class StageForm(forms.Form):
    """One stage. A name that is not given follows from the share, and stands in its field as a placeholder."""

    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        required=False,
        widget=forms.TextInput(attrs=_SMALL),
    )
    kind = forms.ChoiceField(
        label="Kind of share",
        choices=_KINDS,
        widget=forms.Select(attrs={"class": "select w-full"}),
    )
    value = forms.CharField(
        label="Share",
        max_length=500,
        widget=forms.TextInput(attrs={**_SMALL, "class": f"{_SMALL['class']} mono"}),
    )
    bake = DurationField(
        label="Bake", max_length=20, required=False, widget=forms.TextInput(attrs=_SMALL)
    )
    budget = forms.CharField(
        label="Failure budget", max_length=10, widget=forms.TextInput(attrs=_SMALL)
    )

    def __init__(self, data: Mapping[str, str], *, number: int) -> None:
        super().__init__(data, prefix=f"stage-{number - 1}")
        self.is_first = number == 1
        if self["kind"].value() == "selector":
            self.fields["value"].help_text = _SELECTOR_HELP
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}, stage {number}"

    def clean_budget(self) -> Budget:
        """A number, or a percentage."""
        text = self.cleaned_data["budget"].strip()
        number = _number(text.removesuffix("%"), "Write a number, or a share as 5 %.")
        return Budget(percent=number) if text.endswith("%") else Budget(count=number)

    def clean(self) -> dict[str, Any]:
        """With the share."""
        data = super().clean() or {}
        if "kind" in data and "value" in data:
            try:
                data["share"] = _share(data["kind"], data["value"])
            except (BadSelector, forms.ValidationError) as problem:
                words = (
                    problem.messages
                    if isinstance(problem, forms.ValidationError)
                    else [str(problem)]
                )
                self.add_error("value", words)
                self["value"].help_text = ""  # the words say it
            else:
                usual = _name_of(data["share"], is_first=self.is_first)
                self.fields["name"].widget.attrs["placeholder"] = usual
        return data

    def stage(self) -> StagePlan:
        """The stage; the form is valid."""
        data = self.cleaned_data
        name = data["name"] or _name_of(data["share"], is_first=self.is_first)
        return StagePlan(name, data["share"], data["bake"] or timedelta(), data["budget"])


class KnobsForm(forms.Form):
    """What holds for all stages."""

    max_in_flight = forms.IntegerField(
        label="In flight",
        min_value=1,
        max_value=100_000,
        required=False,
        help_text="At most, at one time. Empty: any number.",
    )
    apply_timeout = DurationField(
        label="Apply timeout",
        required=False,
        help_text="Silence for so long after an offer is a failure.",
    )
    soak = DurationField(
        label="Soak", required=False, help_text="Healthy for so long before it counts."
    )
    automatic_rollback = forms.BooleanField(
        label="Take it back automatically",
        required=False,
        help_text="A spent budget returns every collector that it reached to its own version before. Off: it pauses.",
    )
    offline = forms.ChoiceField(
        label="Offline collectors",
        choices=[("pass", "Do not hold up a stage"), ("wait", "Hold up their stage")],
        required=False,
    )
    zone_key = forms.CharField(
        label="Zone",
        max_length=128,
        required=False,
        help_text="An attribute or label, such as host.group.",
    )
    zone_limit = forms.IntegerField(
        label="At a time",
        min_value=1,
        max_value=100_000,
        required=False,
        help_text="Of those that share its value. One that failed counts until it is well again or left out.",
    )
    window_days = forms.CharField(
        label="Days", max_length=60, required=False, help_text="mon-fri or sat,sun. Empty: always."
    )
    window_hours = forms.CharField(
        label="Hours", max_length=11, required=False, help_text="09:00-17:00"
    )
    window_zone = forms.CharField(
        label="Time zone", max_length=64, required=False, help_text="Europe/Berlin. Empty: UTC."
    )

    def clean(self) -> dict[str, Any]:
        """With the window; what belongs together is there together."""
        data = super().clean() or {}
        if bool(data.get("zone_key")) != bool(data.get("zone_limit")) and not self.errors:
            missing = "zone_limit" if data.get("zone_key") else "zone_key"
            self.add_error(missing, "A zone limit needs an attribute and a number.")
        days, hours = data.get("window_days"), data.get("window_hours")
        data["window"] = None
        if days or hours:
            try:
                data["window"] = parse_window(
                    days or "mon-sun", hours or "00:00-24:00", data.get("window_zone") or "UTC"
                )
            except BadWindow as problem:
                self.add_error(_at_fault(str(problem)), str(problem))
        return data


@dataclass(slots=True)
class PlanEditor:
    """The forms of a plan. do(): what a button asks for, before they are looked at."""

    rows: list[dict[str, str]]
    values: Mapping[str, Any]

    @classmethod
    def of(cls, strategy: Strategy) -> "PlanEditor":
        """As this strategy would be typed."""
        rows = [_row_of(stage, is_first=not n) for n, stage in enumerate(strategy.stages)]
        return cls(rows, _values_of(strategy))

    @classmethod
    def posted(cls, data: QueryDict) -> "PlanEditor":
        """What a page sent; a page that sent no stages means the first preset."""
        count = data.get("stages", "")
        if not count.isdecimal() or not 0 < int(count) <= MOST_STAGES:
            return cls.of(PRESETS[FIRST_PRESET]())
        rows = [
            {name: data.get(f"stage-{n}-{name}", "") for name in StageForm.base_fields}
            for n in range(int(count))
        ]
        return cls(rows, {name: data.get(name, "") for name in KnobsForm.base_fields})

    def do(self, wanted: str) -> "PlanEditor":
        """`preset:canary`, `add` or `remove:2`; anything else changes nothing."""
        what, _, which = wanted.partition(":")
        if what == "preset" and which in PRESETS:
            return self.of(PRESETS[which]())
        if what == "add" and len(self.rows) < MOST_STAGES:
            # Before the last: that one reaches everybody.
            return replace(self, rows=[*self.rows[:-1], self._next(), *self.rows[-1:]])
        if what == "remove" and which.isdecimal() and len(self.rows) > 1:
            return replace(self, rows=[row for n, row in enumerate(self.rows) if n != int(which)])
        return self

    def _next(self) -> dict[str, str]:
        """A stage that fits before the last: 10 %, or half of what is left."""
        typed = [
            row["value"].strip().removesuffix("%").strip()
            for row in self.rows[:-1]
            if row["kind"] == "percent"
        ]
        reached = max(
            (int(text) for text in typed if text.isdecimal() and len(text) < 4), default=0
        )
        percent = 10 if reached < 10 else (100 + reached) // 2
        share = {"kind": "percent", "value": f"{percent} %"}
        return {"name": "", **share, "bake": "10 min", "budget": "0 %"}

    def forms(self) -> "PlanForms":
        """The forms, looked at."""
        stages = [
            StageForm({f"stage-{n}-{name}": value for name, value in row.items()}, number=n + 1)
            for n, row in enumerate(self.rows)
        ]
        return PlanForms(stages, KnobsForm(dict(self.values)))


@dataclass(slots=True)
class PlanForms:
    """Bound forms. strategy: None while something is wrong; problem: what is wrong with the plan as a whole."""

    stages: Sequence[StageForm]
    knobs: KnobsForm
    strategy: Strategy | None = None
    problem: str = ""

    def __post_init__(self) -> None:
        """Look at all of them, so that every field says what is wrong with it."""
        holds = [form.is_valid() for form in (*self.stages, self.knobs)]
        if all(holds):
            self._together()

    @property
    def preset(self) -> str:
        """The preset that it is, "own" for none."""
        if self.strategy is None:
            return "own"
        return next((name for name in PRESETS if self.strategy == _as_typed(name)), "own")

    def _together(self) -> None:
        data = self.knobs.cleaned_data
        strategy = Strategy(
            stages=tuple(form.stage() for form in self.stages),
            automatic_rollback=data["automatic_rollback"],
            soak=data["soak"] or timedelta(),
            max_in_flight=data["max_in_flight"] or 0,
            waits_for_offline=data["offline"] == "wait",
            zone_key=data["zone_key"],
            zone_limit=data["zone_limit"] or 0,
            window=data["window"],
            apply_timeout=data["apply_timeout"],
        )
        try:
            strategy.check()
        except BadShares as problem:
            if problem.stage:
                words = str(problem).removeprefix(f"Stage {problem.stage}: ")
                self.stages[problem.stage - 1].add_error("value", words[0].upper() + words[1:])
            else:
                self.problem = str(problem)
        else:
            self.strategy = strategy


@cache
def _as_typed(preset: str) -> Strategy | None:
    """What comes of the forms of a preset when nothing is changed in them."""
    return PlanEditor.of(PRESETS[preset]()).forms().strategy


def _at_fault(words: str) -> str:
    """The field that parse_window() complains about."""
    if "time zone" in words:
        return "window_zone"
    return "window_hours" if "hours" in words else "window_days"


def _number(text: str, otherwise: str) -> int:
    """Raises ValidationError with the words for what is no number."""
    if not text.strip().isdecimal() or len(text.strip()) > 6:
        raise forms.ValidationError(otherwise)
    return int(text)


def _share(kind: str, value: str) -> Share:
    """Raises BadSelector and ValidationError."""
    if kind == "selector":
        if value.strip().removesuffix("%").strip().isdecimal():
            # What the field held while it was a number: as a selector it would name a label of that name.
            raise forms.ValidationError("Write a condition, such as region=eu-1.")
        return Share(selector=parse_selector(value))
    if kind == "percent":
        return Share(percent=_number(value.strip().removesuffix("%"), "Write a share as 10 %."))
    return Share(count=_number(value, "Write how many collectors."))


def _name_of(share: Share, *, is_first: bool) -> str:
    """What the stage is called if nobody says it."""
    if share.selector is not None:
        words = str(share.selector)
        return words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1]}…"
    if share.percent is not None:
        everybody = "All at once" if is_first else "Everybody"
        return everybody if share.percent == 100 else f"{share.percent} %"
    return "Canary" if is_first else counted(share.count or 0, "more", "more")


def _row_of(stage: StagePlan, *, is_first: bool) -> dict[str, str]:
    share, budget = stage.share, stage.budget
    kind, value = "count", str(share.count)
    if share.percent is not None:
        kind, value = "percent", f"{share.percent} %"
    elif share.selector is not None:
        kind, value = "selector", str(share.selector)
    return {
        "name": "" if stage.name == _name_of(share, is_first=is_first) else stage.name,
        "kind": kind,
        "value": value,
        "bake": lasting(int(stage.bake.total_seconds())),
        "budget": f"{budget.percent} %" if budget.count is None else str(budget.count),
    }


def _values_of(strategy: Strategy) -> dict[str, Any]:
    window, timeout = strategy.window, strategy.apply_timeout
    return {
        "max_in_flight": strategy.max_in_flight or "",
        "apply_timeout": lasting(int(timeout.total_seconds())) if timeout else "",
        "soak": lasting(int(strategy.soak.total_seconds())),
        "automatic_rollback": "on" if strategy.automatic_rollback else "",
        "offline": "wait" if strategy.waits_for_offline else "pass",
        "zone_key": strategy.zone_key,
        "zone_limit": strategy.zone_limit or "",
        "window_days": window.days_text if window else "",
        "window_hours": window.hours_text if window else "",
        "window_zone": window.zone if window else "",
    }
