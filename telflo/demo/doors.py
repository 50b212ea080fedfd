"""Who comes in by which door in the demo: tokens that change hands, install commands, strangers that are refused."""

from datetime import timedelta

from fleets.models import Fleet, Platform, RefusalReason, Token
from fleets.quickdeploy.services import create_deployment
from fleets.refusals import record_refusal
from fleets.tokens import Expiry, IssuedToken, issue_token, retire_token, revoke_token, rotate_token
from telflo.base import clock
from telflo.base.activity import Actor


def rotate(token: IssuedToken, actor: Actor) -> IssuedToken:
    """The heir; both let in for a week."""
    return rotate_token(token=token.token, overlap=timedelta(days=7), actor=actor)


def revoke_a_leaked_one(fleet: Fleet, actor: Actor) -> Token:
    """A token that somebody saw."""
    old = issue_token(fleet=fleet, name="pilot in ams", expires=Expiry.NEVER, actor=actor)
    return revoke_token(token=old.token, reason="Was in a ticket in clear text", actor=actor)


def retire_a_trial(fleet: Fleet, actor: Actor) -> None:
    """A token that lets in nobody new."""
    trial = issue_token(fleet=fleet, name="trial", expires=Expiry.YEAR, actor=actor)
    retire_token(token=trial.token, reason="Trial is over", actor=actor)


def refuse_strangers(leaked: Token) -> None:
    """Some still use the revoked token, some made one up."""
    for prefix, address, reason, count in (
        ("tlf_e_Qm3x9d", "198.51.100.23", RefusalReason.UNKNOWN, 214),
        (leaked.prefix, "203.0.113.81", RefusalReason.REVOKED, 37),
        ("", "192.0.2.140", RefusalReason.UNKNOWN, 3),
    ):
        record_refusal(
            token_prefix=prefix,
            address=address,
            reason=reason,
            transport="ws",
            user_agent="Go-http-client/1.1",
            now=clock.now(),
            count=count,
        )


def make_install_command(fleet: Fleet, uses: int, actor: Actor) -> None:
    """For so many hosts."""
    create_deployment(fleet=fleet, platform=Platform.LINUX_AMD64.value, actor=actor, max_uses=uses)
