"""Changes to configurations and their versions: each one atomic, each in the activity log."""

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from configs.checking import Broken, Parts, broken_rules, checked, open_warnings
from configs.collector.findings import Severity
from configs.collector.parse import parse
from configs.errors import Archived, NameTaken, Unchanged, WrongState
from configs.models import Configuration, ConfigVersion, VersionState
from configs.textdiff import TextDiff, diff_texts
from telflo.base.activity import Actor, record
from telflo.base.clock import now
from telflo.base.errors import Conflict, DomainError
from telflo.base.errors import Finding as Fault
from telflo.base.hints import touch_on_commit
from telflo.base.redaction import redact_text

_NAME_LENGTH = 100
_TEXT_LENGTH = 500
_COLLECTOR_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}")


@transaction.atomic
def create_configuration(*, name: str, description: str = "", actor: Actor) -> Configuration:
    """A configuration without versions. Raises DomainError for its name, NameTaken when it is in use."""
    at = now()
    configuration = Configuration(
        name=_checked_name(name),
        description=_checked_length("description", description),
        created_by=actor.user,
        created_at=at,
        updated_at=at,
    )
    try:
        with transaction.atomic():
            configuration.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(configuration.name) from error
    record(
        actor=actor,
        action="configuration.create",
        obj=configuration,
        after=_values(configuration),
    )
    touch(configuration)
    return configuration


@transaction.atomic
def update_configuration(
    *,
    configuration: Configuration,
    name: str | None = None,
    description: str | None = None,
    actor: Actor,
) -> Configuration:
    """Give it another name or description; None leaves one as it is. Raises as create_configuration, and Archived."""
    locked = lock_active(configuration)
    before = _values(locked)
    if name is not None:
        locked.name = _checked_name(name)
    if description is not None:
        locked.description = _checked_length("description", description)
    if _values(locked) == before:
        return locked
    locked.updated_at = now()
    try:
        with transaction.atomic():
            locked.save(update_fields=["name", "description", "updated_at"])
    except IntegrityError as error:
        raise NameTaken(locked.name) from error
    record(
        actor=actor,
        action="configuration.update",
        obj=locked,
        before=before,
        after=_values(locked),
    )
    touch(locked)
    return locked


@transaction.atomic
def archive_configuration(
    *, configuration: Configuration, reason: str = "", actor: Actor
) -> Configuration:
    """Put it away: nothing new is saved or published; fleets keep what they run; its name is free again."""
    locked = lock_active(configuration)
    locked.archived_at = locked.updated_at = now()
    locked.save(update_fields=["archived_at", "updated_at"])
    record(actor=actor, action="configuration.archive", obj=locked, reason=reason)
    touch(locked)
    return locked


def save_version(
    *,
    configuration: Configuration,
    yaml: str | bytes,
    note: str = "",
    collector_version: str = "",
    actor: Actor,
) -> ConfigVersion:
    """The next version, unpublished. Raises ParseError (nothing is saved), Unchanged, Archived, DomainError.

    The text of the latest version is not saved again: a new note alone makes no version, another collector
    version does. An older text may come back as a new version.
    """
    # Parsing takes time and needs no lock.
    text = parse(yaml).text
    note = checked_note(note)
    target = checked_collector_version(collector_version)
    with transaction.atomic():
        return save_parsed(lock_active(configuration), text, note, target, actor)


def save_parsed(
    locked: Configuration, text: str, note: str, collector_version: str, actor: Actor
) -> ConfigVersion:
    """As save_version: what is given was parsed and checked, and the configuration is held. Raises Unchanged."""
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    _refuse_unchanged(locked, sha256, collector_version)
    version = _insert_version(locked, text, sha256, note, collector_version, actor)
    locked.updated_at = version.created_at
    locked.save(update_fields=["updated_at"])
    record(
        actor=actor,
        action="version.save",
        obj=version,
        after={"number": version.number, "sha256": sha256, "note": note, "size": version.size},
    )
    touch(locked)
    return version


@transaction.atomic
def publish_version(*, version: ConfigVersion, reason: str = "", actor: Actor) -> ConfigVersion:
    """Make it assignable to fleets. Raises WrongState unless it is unpublished, Archived with its configuration."""
    lock_active(version.configuration)
    locked = _locked_version(version)
    if locked.state != VersionState.UNPUBLISHED:
        raise WrongState(f"{locked} is {locked.state} already.", code=locked.state)
    locked.state = VersionState.PUBLISHED
    locked.published_at, locked.published_by = now(), actor.user
    locked.save(update_fields=["state", "published_at", "published_by"])
    record(
        actor=actor,
        action="version.publish",
        obj=locked,
        reason=reason,
        before={"state": VersionState.UNPUBLISHED.value},
        after={"state": locked.state},
    )
    touch(locked.configuration)
    return locked


def publish_checked(
    *,
    version: ConfigVersion,
    actor: Actor,
    reason: str = "",
    accepted: Collection[str] | None = (),
    reported: Parts = frozenset(),
) -> ConfigVersion:
    """As publish_version, unless its text has errors, or warnings of rules that are not accepted. Raises Conflict.

    accepted: ids of rules; None accepts all warnings · reported: as for `checked`.
    """
    report = checked(version.yaml, version.collector_version, reported=reported)
    errors = broken_rules(report, Severity.ERROR)
    _refuse_faults(errors, "version_errors", f"Not published: {version} has errors")
    if accepted is not None:
        open_ones = open_warnings(report, accepted)
        _refuse_faults(open_ones, "version_warnings", f"Accept what {version} is warned of first")
    return publish_version(version=version, actor=actor, reason=reason)


def _refuse_faults(broken: Sequence[Broken], code: str, consequence: str) -> None:
    if broken:
        words = "; ".join(f"{one.title} ({one.rule})" for one in broken)
        faults = [
            Fault(one.message, one.rule, one.span.line, one.span.column)
            for rule in broken
            for one in rule.findings
        ]
        raise Conflict(f"{consequence}: {words}.", code=code, findings=faults)


@transaction.atomic
def copy_version(
    *, version: ConfigVersion, name: str, description: str = "", actor: Actor
) -> ConfigVersion:
    """Version 1 of a new configuration, with the same text. Raises as create_configuration."""
    copy = create_configuration(name=name, description=description, actor=actor)
    note = f"Copy of {version}."
    first = save_version(
        configuration=copy,
        yaml=version.yaml,
        note=note[:_TEXT_LENGTH],
        collector_version=version.collector_version,
        actor=actor,
    )
    record(actor=actor, action="version.copy", obj=version, after={"copy": str(first)})
    return first


@transaction.atomic
def archive_version(*, version: ConfigVersion, reason: str = "", actor: Actor) -> ConfigVersion:
    """Take it off the list of what can be assigned; fleets keep what they run. Raises WrongState when it is."""
    locked = _locked_version(version)
    before = locked.state
    if before == VersionState.ARCHIVED:
        raise WrongState(f"{locked} is archived already.", code="archived")
    locked.state = VersionState.ARCHIVED
    locked.save(update_fields=["state"])
    record(
        actor=actor,
        action="version.archive",
        obj=locked,
        reason=reason,
        before={"state": before},
        after={"state": locked.state},
    )
    touch(locked.configuration)
    return locked


@transaction.atomic
def read_raw_text(*, version: ConfigVersion, actor: Actor) -> str:
    """The text with its secrets, for who may see it (Action.READ_RAW, checked by the caller). Is logged."""
    record(actor=actor, action="version.read_raw", obj=version)
    return version.yaml


def diff_versions(before: ConfigVersion, after: ConfigVersion) -> TextDiff:
    """What changed between two versions, as masked_diff shows it."""
    return masked_diff(before.yaml, after.yaml)


def masked_diff(before: str, after: str) -> TextDiff:
    """What changed between two texts, with secrets masked: a changed secret shows as a changed, masked line."""
    return diff_texts(
        before, after, shown_before=redact_text(before), shown_after=redact_text(after)
    )


def lock_active(configuration: Configuration) -> Configuration:
    """The configuration, held until the transaction ends. Raises Archived."""
    locked = Configuration.objects.select_for_update().get(pk=configuration.pk)
    if locked.archived_at is not None:
        raise Archived(
            f"{locked.name} is archived. Nothing new can be saved in it.", code="archived"
        )
    return locked


def _locked_version(version: ConfigVersion) -> ConfigVersion:
    found = ConfigVersion.objects.select_for_update(of=("self",)).without_text()
    return found.select_related("configuration").get(pk=version.pk)


def _refuse_unchanged(configuration: Configuration, sha256: str, collector_version: str) -> None:
    latest = configuration.versions.without_text().order_by("-number").first()
    if latest and (latest.sha256, latest.collector_version) == (sha256, collector_version):
        raise Unchanged(
            f"Not saved: this is the text of v{latest.number}, the latest version.",
            field="yaml",
            code="unchanged",
        )


def _insert_version(
    configuration: Configuration,
    text: str,
    sha256: str,
    note: str,
    collector_version: str,
    actor: Actor,
) -> ConfigVersion:
    """The row, with the next number: the configuration's lock is held."""
    last = configuration.versions.aggregate(last=Max("number"))["last"] or 0
    return ConfigVersion.objects.create(
        configuration=configuration,
        number=last + 1,
        yaml=text,
        sha256=sha256,
        size=len(text.encode()),
        note=note,
        collector_version=collector_version,
        author=actor.user,
        created_at=now(),
    )


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise DomainError("Give the configuration a name.", field="name", code="required")
    if len(name) > _NAME_LENGTH:
        raise DomainError(
            f"The name has {len(name)} characters. The most is {_NAME_LENGTH}.",
            field="name",
            code="too-long",
        )
    return name


def checked_note(note: str) -> str:
    """The note as it is kept. Raises DomainError."""
    return _checked_length("note", note)


def _checked_length(field: str, text: str) -> str:
    text = text.strip()
    if len(text) > _TEXT_LENGTH:
        raise DomainError(
            f"The {field} has {len(text)} characters. The most is {_TEXT_LENGTH}.",
            field=field,
            code="too-long",
        )
    return text


def checked_collector_version(version: str) -> str:
    """The version as it is kept, "" for none. Raises DomainError."""
    version = version.strip().removeprefix("v")
    if version and not _COLLECTOR_VERSION.fullmatch(version):
        raise DomainError(
            f'"{version}" is no collector version. Write it as 0.158.0.',
            field="collector_version",
            code="invalid",
        )
    return version


def _values(configuration: Configuration) -> dict[str, Any]:
    return {"name": configuration.name, "description": configuration.description}


def touch(configuration: Configuration) -> None:
    """Tell open pages, once the transaction holds."""
    touch_on_commit(["configurations", f"configuration:{configuration.pk}"])
