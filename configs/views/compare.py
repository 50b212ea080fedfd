"""Any two versions of a configuration, or one and the draft: in meaning, and as texts unified or side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from configs.catalog.shelf import nearest
from configs.change_words import shown_changes
from configs.collector.difference import Impact
from configs.comparing import Meaning, meaning_of
from configs.drafts import draft_of
from configs.models import ConfigVersion, Draft
from configs.services import masked_diff
from configs.sides import side_by_side
from configs.textdiff import TextDiff
from configs.views.subject import configuration_or_404
from telflo.base.access import Action
from telflo.base.guard import requires

_KINDS: Final = {"context": "same", "add": "add", "delete": "del"}
_DRAFT: Final = "draft"
_SIDES: Final = "sides"
_IMPACTS: Final = {
    Impact.NOTHING: "Nothing changes for a collector.",
    Impact.RECEIVERS: "Receivers alone change. Supervisors restart the collector all the same.",
    Impact.COLLECTOR: "Collectors restart with it: about 3 s without data each.",
}


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One line of a diff as the component draws it."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared. key: as in the address · text: unmasked, never shown."""

    key: str
    name: str
    note: str
    source: ConfigVersion | Draft

    @property
    def text(self) -> str:
        """Read when it is compared: lists of choices need none."""
        return self.source.yaml


@requires(Action.VIEW)
def compare(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """`?from=` and `?to=`: numbers of versions, or draft; without them the two latest. `?view=sides`: two columns."""
    configuration = configuration_or_404(configuration_id)
    versions = configuration.versions.without_text().select_related("author")
    choices = [_of_version(one) for one in versions]
    draft = draft_of(configuration)
    if draft is not None:
        choices.insert(0, Side(_DRAFT, "Draft", f"edited by {draft.editor}", draft))
    before, after = _chosen(request, choices)
    view = _SIDES if request.GET.get("view") == _SIDES else ""
    context = {
        "configuration": configuration,
        "choices": choices,
        "before": before,
        "after": after,
        "view": view,
        **(_difference(before, after, view) if before and after else {}),
    }
    return render(request, "configs/compare.html", context)


def rows_of(diff: TextDiff) -> Iterator[DiffRow]:
    """The lines of all hunks, a line with the place before each."""
    for hunk in diff.hunks:
        yield DiffRow("hunk", None, None, hunk.header)
        for line in hunk.lines:
            yield DiffRow(_KINDS[line.kind], line.old, line.new, line.text)


def meaning_context(meaning: Meaning) -> dict[str, Any]:
    """The difference in meaning, for the panel of changes."""
    found = meaning.changes or ()
    shown = shown_changes(found)
    return {
        "changes": shown,
        "change_count": len(found),
        "more_changes": len(found) - len(shown),
        "impact": _IMPACTS[meaning.impact],
        "unread": meaning.fault,
    }


def _difference(before: Side, after: Side, view: str) -> dict[str, Any]:
    old, new = before.text, after.text
    diff = masked_diff(old, new)
    catalogs = (
        nearest(before.source.collector_version),
        nearest(after.source.collector_version),
    )
    return {
        "diff": diff,
        "rows": [] if view else list(rows_of(diff)),
        "sides": list(side_by_side(diff.hunks)) if view else [],
        **meaning_context(meaning_of(old, new, catalogs=catalogs)),
    }


def _of_version(version: ConfigVersion) -> Side:
    return Side(str(version.number), f"v{version.number}", version.note, version)


def _chosen(request: HttpRequest, choices: Sequence[Side]) -> tuple[Side | None, Side | None]:
    """The newest stand first, so the latest is compared with the one before."""
    after = _named(choices, request.GET.get("to", "")) or (choices[0] if choices else None)
    before = _named(choices, request.GET.get("from", ""))
    if before is None and after is not None:
        at = choices.index(after) + 1
        before = choices[at] if at < len(choices) else None
    return before, after


def _named(choices: Sequence[Side], wanted: str) -> Side | None:
    if not wanted:
        return None
    for one in choices:
        if one.key == wanted:
            return one
    raise Http404(wanted)
