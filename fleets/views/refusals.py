"""Refused attempts, with what to look at for each."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import Q

from fleets.models import Deployment, RefusalReason, RefusedAttempt
from telflo.base.api_tokens import PREFIX

ADVICE: Final[Mapping[str, str]] = {
    RefusalReason.MISSING: "The supervisor sends no token. Look for the Authorization header in its"
    " supervisor.yaml and for TELFLO_TOKEN in token.env.",
    RefusalReason.UNKNOWN: "The token was not issued by this server, or it was cut off when it was"
    " copied. Run the install command again.",
    RefusalReason.REVOKED: "Someone revoked the token it uses. Make a new command and run it there.",
    RefusalReason.EXPIRED: "The token is too old to enrol a new collector. Rotate it, or make a new"
    " command.",
    RefusalReason.RETIRED: "The token was retired or rotated. Give the host the new one.",
    RefusalReason.TAKEN: "One host token lets in one collector. If this host lost its storage directory, forget its"
    " old collector here, and it comes in by itself; on another host run a command of its own.",
    RefusalReason.OTHER_AGENT: "Each such credential is bound to one collector. Was a running machine"
    " copied? Put an enrolment token into the file of the copy and restart its supervisor.",
    RefusalReason.RATE: "Too many new hosts came at once by this token: more than"
    f" {settings.ENROLMENTS_PER_MINUTE:,} a minute (TELFLO_ENROLMENTS_PER_MINUTE). They try again by themselves.",
    RefusalReason.PROTOCOL: "Something other than a supervisor called the OpAMP address: a health"
    " check, a browser, a proxy that changes requests.",
    RefusalReason.CODE: "The code in the command is used up, expired or revoked. Make a new command.",
}
_BARE: Final = "The token was sent without the word Bearer"
_BARE_ADVICE: Final = (
    "Write the header as `Authorization: Bearer ${env:TELFLO_TOKEN}` in its supervisor.yaml."
)
_OF_A_PERSON: Final = (
    "This is a token of the REST API. Collectors come by an enrolment token, which begins with tlf_e_: put one into"
    " token.env, and revoke the API token if others may have seen it."
)
_MOST: Final = 6


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """Attempts of one kind from one address: why they were refused, and what to look at."""

    attempt: RefusedAttempt
    reason: str
    advice: str


def refusal_rows(attempts: Iterable[RefusedAttempt]) -> list[RefusalRow]:
    """With the advice for each."""
    return [RefusalRow(attempt, *_words(attempt)) for attempt in attempts]


def _words(attempt: RefusedAttempt) -> tuple[str, str]:
    """Of a token only its start is known; where none was found, that start came without its scheme."""
    if attempt.reason == RefusalReason.MISSING and attempt.token_prefix:
        return _BARE, _BARE_ADVICE
    reason = attempt.get_reason_display()
    if attempt.reason == RefusalReason.UNKNOWN and attempt.token_prefix.startswith(PREFIX):
        return reason, _OF_A_PERSON
    return reason, ADVICE.get(attempt.reason, "")


def refused_since(
    deployment: Deployment, prefixes: Collection[str], *, is_surely_its_own: bool
) -> list[RefusalRow]:
    """What may be this deployment's hosts: its fleet's tokens, its own, or tokens of nobody. One query.

    is_surely_its_own: only what came by its own host tokens, whose prefixes are given.
    """
    of_nobody = Q(fleet=None, token_prefix__in=["", deployment.code_prefix, *prefixes])
    its_own = Q(token_prefix__in=prefixes)
    found = RefusedAttempt.objects.filter(
        its_own if is_surely_its_own else its_own | of_nobody | Q(fleet=deployment.fleet_id),
        last_at__gte=deployment.created_at,
    )
    return refusal_rows(found[:_MOST])
