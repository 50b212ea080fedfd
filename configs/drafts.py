"""Changes to drafts (decision 22): one text for each configuration, edited by many, overwritten by nobody unseen.

The activity log holds when a draft begins and ends, who read one that others wrote, and who wrote over another's
changes; not each change, since an editor saves by itself.
"""

from django.db import transaction

from configs.collector.parse import decoded, parse
from configs.drafting import Buffer, Fate, fate_of
from configs.errors import DraftChanged, DraftGone, DraftThere
from configs.models import Configuration, ConfigVersion, Draft
from configs.services import (
    checked_collector_version,
    checked_note,
    lock_active,
    read_raw_text,
    save_parsed,
    touch,
)
from telflo.base.activity import Actor, record
from telflo.base.clock import now
from telflo.base.hints import touch_on_commit


def draft_of(configuration: Configuration) -> Draft | None:
    """Its draft with who edited it and what it began with, if there is one."""
    rows = Draft.objects.select_related("configuration", "edited_by", "base")
    return rows.defer("base__yaml").filter(configuration=configuration).first()


@transaction.atomic
def put_draft(
    *,
    configuration: Configuration,
    yaml: str,
    lock_version: int | None,
    collector_version: str | None = None,
    base: ConfigVersion | None = None,
    writes_over: bool = False,
    actor: Actor,
) -> Draft:
    """Let the draft hold this text, whatever it is worth; the first one begins the draft.

    lock_version: of the draft that the writer saw, None if there was none · collector_version: None leaves it as it is
    · base: the version that a new draft begins with, by default the latest · writes_over: the writer was shown what
    others changed and drops it. Raises DraftChanged, DraftGone, Archived, ParseError for the size, DomainError.
    """
    text = decoded(yaml)
    locked = lock_active(configuration)
    draft = draft_of(locked)
    base = base or (None if draft else _latest(locked))
    if collector_version is None:
        source = draft or base
        collector_version = source.collector_version if source else ""
    wanted = Buffer(text, checked_collector_version(collector_version), lock_version)
    fate = fate_of(wanted, _buffer(draft) if draft else None)
    if fate is Fate.GONE:
        raise DraftGone(locked.name)
    if draft is None:
        return _begin(locked, wanted, base, actor)
    if fate is Fate.CHANGED:
        raise DraftChanged(draft)
    if fate is Fate.WRITTEN:
        if writes_over:
            record(actor=actor, action="draft.write_over", obj=locked, before=_told(draft))
        _write(draft, wanted, actor)
    return draft


@transaction.atomic
def restore_version(*, version: ConfigVersion, lock_version: int | None, actor: Actor) -> Draft:
    """A draft with the text of a version, for who may read it. lock_version: of the draft that it replaces knowingly.

    Raises DraftThere when there is one and none was named, DraftChanged, DraftGone, Archived.
    """
    locked = lock_active(version.configuration)
    draft = draft_of(locked)
    if draft is not None and lock_version is None:
        raise DraftThere(draft)
    if draft is not None:
        discard_draft(configuration=locked, lock_version=lock_version, actor=actor)
    elif lock_version is not None:
        raise DraftGone(locked.name)
    text = read_raw_text(version=version, actor=actor)
    locked.refresh_from_db()
    return _begin(locked, Buffer(text, version.collector_version, None), version, actor)


@transaction.atomic
def discard_draft(
    *, configuration: Configuration, lock_version: int | None, reason: str = "", actor: Actor
) -> None:
    """Throw the draft away. lock_version: of what is thrown away. Raises DraftChanged, DraftGone, Archived."""
    locked = lock_active(configuration)
    draft = _seen(locked, lock_version)
    record(actor=actor, action="draft.discard", obj=locked, reason=reason, before=_told(draft))
    _end(locked, draft)


def save_draft(
    *,
    configuration: Configuration,
    lock_version: int | None = None,
    note: str = "",
    actor: Actor,
) -> ConfigVersion:
    """The draft as the next version; the draft is gone then. lock_version None: whatever it is now.

    Raises DraftGone, DraftChanged, and as save_version: the draft stays as it is then.
    """
    draft = draft_of(configuration)
    if draft is None:
        raise DraftGone(configuration.name)
    text, seen = parse(draft.yaml).text, draft.lock_version
    note = checked_note(note)
    with transaction.atomic():
        locked = lock_active(configuration)
        draft = _seen(locked, seen if lock_version is None else lock_version)
        version = save_parsed(locked, text, note, draft.collector_version, actor)
        _end(locked, draft)
    return version


@transaction.atomic
def read_draft(*, draft: Draft, actor: Actor) -> str:
    """The text with its secrets, for who may see it (Action.READ_RAW, checked by the caller).

    Is logged, unless the reader wrote it last.
    """
    if actor.user is None or draft.edited_by_id != actor.user.pk:
        record(actor=actor, action="draft.read_raw", obj=draft.configuration)
    return draft.yaml


def _latest(configuration: Configuration) -> ConfigVersion | None:
    return configuration.versions.without_text().order_by("-number").first()


def _buffer(draft: Draft) -> Buffer:
    return Buffer(draft.yaml, draft.collector_version, draft.lock_version)


def _seen(locked: Configuration, lock_version: int | None) -> Draft:
    """The draft, if it still is what was seen."""
    draft = draft_of(locked)
    if draft is None:
        raise DraftGone(locked.name)
    if draft.lock_version != lock_version:
        raise DraftChanged(draft)
    return draft


def _begin(
    locked: Configuration, wanted: Buffer, base: ConfigVersion | None, actor: Actor
) -> Draft:
    at = now()
    draft = Draft.objects.create(
        configuration=locked,
        yaml=wanted.text,
        collector_version=wanted.collector_version,
        lock_version=locked.last_lock_version + 1,
        base=base,
        edited_by=actor.user,
        editor=actor.label[:200],
        edited_at=at,
        begun_at=at,
    )
    after = {"from": str(base) if base else None}
    record(actor=actor, action="draft.begin", obj=locked, after=after)
    touch(locked)
    return draft


def _write(draft: Draft, wanted: Buffer, actor: Actor) -> None:
    draft.yaml, draft.collector_version = wanted.text, wanted.collector_version
    draft.lock_version += 1
    draft.edited_by, draft.editor, draft.edited_at = actor.user, actor.label[:200], now()
    draft.save(
        update_fields=[
            "yaml",
            "collector_version",
            "lock_version",
            "edited_by",
            "editor",
            "edited_at",
        ]
    )
    touch_on_commit([f"draft:{draft.pk}"])


def _end(locked: Configuration, draft: Draft) -> None:
    locked.last_lock_version = draft.lock_version
    locked.save(update_fields=["last_lock_version"])
    draft.delete()
    touch_on_commit([f"draft:{locked.pk}"])
    touch(locked)


def _told(draft: Draft) -> dict[str, object]:
    """What the log says of a draft: never its text."""
    return {
        "edited_by": draft.editor,
        "lines": draft.yaml.count("\n"),
        "change": draft.lock_version,
    }
