"""Any two versions of a configuration side by side, as a text diff."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from configs.models import ConfigVersion
from configs.services import diff_versions
from configs.textdiff import TextDiff
from configs.views.subject import configuration_or_404
from telflo.base.access import Action
from telflo.base.guard import requires

_KINDS: Final = {"context": "same", "add": "add", "delete": "del"}


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One line of a diff as the component draws it."""

    kind: str
    old: int | None
    new: int | None
    text: str


@requires(Action.VIEW)
def compare(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """The versions `?from=` and `?to=`; without them the two latest."""
    configuration = configuration_or_404(configuration_id)
    versions = list(configuration.versions.without_text().select_related("author"))
    before, after = _chosen(request, versions)
    diff = diff_versions(before, after) if before and after else None
    context = {
        "configuration": configuration,
        "versions": versions,
        "before": before,
        "after": after,
        "diff": diff,
        "rows": list(rows_of(diff)) if diff else [],
    }
    return render(request, "configs/compare.html", context)


def rows_of(diff: TextDiff) -> Iterator[DiffRow]:
    """The lines of all hunks, a line with the place before each."""
    for hunk in diff.hunks:
        yield DiffRow("hunk", None, None, hunk.header)
        for line in hunk.lines:
            yield DiffRow(_KINDS[line.kind], line.old, line.new, line.text)


def _chosen(
    request: HttpRequest, versions: list[ConfigVersion]
) -> tuple[ConfigVersion | None, ConfigVersion | None]:
    """Versions are newest first, so the latest is compared with the one before."""
    after = _numbered(versions, request.GET.get("to", "")) or (versions[0] if versions else None)
    before = _numbered(versions, request.GET.get("from", ""))
    if before is None and after is not None:
        older = (version for version in versions if version.number < after.number)
        before = next(older, None)
    return before, after


def _numbered(versions: list[ConfigVersion], wanted: str) -> ConfigVersion | None:
    if not wanted:
        return None
    for version in versions:
        if str(version.number) == wanted:
            return version
    raise Http404(wanted)
