"""The words for the codes of the activity log: one table, so that no page shows "token.rotate". Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done. title stands alone ("Token rotated"); verb between who and what ("rotated")."""

    title: str
    verb: str
    tone: str = "idle"


DEEDS: Final[Mapping[str, Deed]] = {
    "agent.adopt": Deed("Collector managed", "began to manage"),
    "agent.adopt_config": Deed("Configuration adopted", "adopted the configuration of"),
    "agent.forget": Deed("Collector forgotten", "forgot", "fail"),
    "agent.label": Deed("Collector labelled", "labelled"),
    "agent.move": Deed("Collector moved", "moved"),
    "agent.observe": Deed("Collector only observed", "stopped managing"),
    "agent.message": Deed("Custom message sent", "sent a custom message to"),
    "agent.read_raw": Deed("Unredacted text read", "read the unredacted text of", "warn"),
    "agent.rename": Deed("Collector renamed", "renamed"),
    "agent.restart": Deed("Collector restarted", "restarted", "move"),
    "agent.retry": Deed("Failed version retried", "retried", "move"),
    "api_token.create": Deed("API token created", "created the API token"),
    "api_token.revoke": Deed("API token revoked", "revoked the API token", "fail"),
    "configuration.archive": Deed("Configuration archived", "archived"),
    "configuration.create": Deed("Configuration created", "created"),
    "configuration.update": Deed("Configuration changed", "changed"),
    "deployment.claim": Deed("Host token claimed", "claimed a token of"),
    "deployment.create": Deed("Quick-deploy command made", "made the command"),
    "deployment.revoke": Deed("Quick-deploy command revoked", "revoked the command", "fail"),
    "draft.begin": Deed("Draft begun", "began a draft of"),
    "draft.discard": Deed("Draft discarded", "discarded the draft of", "fail"),
    "draft.read_raw": Deed("Unredacted text read", "read the unredacted draft of", "warn"),
    "draft.write_over": Deed("Draft written over", "wrote over changes of another in the draft of"),
    "fleet.archive": Deed("Fleet archived", "archived"),
    "fleet.assign": Deed("Version assigned", "assigned", "move"),
    "fleet.connection": Deed("Connection settings changed", "changed the connection settings of"),
    "fleet.create": Deed("Fleet created", "created"),
    "fleet.update": Deed("Fleet changed", "changed"),
    "person.accept_invite": Deed("Invitation accepted", "accepted the invitation for"),
    "person.accept_reset": Deed("New password set by a link", "set a new password for"),
    "person.change_password": Deed("Password changed", "changed the password of"),
    "person.create": Deed("Person created", "created"),
    "person.disable": Deed("Person disabled", "disabled", "fail"),
    "person.enable": Deed("Person enabled", "enabled"),
    "person.invite": Deed("Person invited", "invited"),
    "person.reset": Deed("Password link made", "made a password link for"),
    "person.set_role": Deed("Role changed", "changed the role of"),
    "person.sign_in": Deed("Signed in", "signed in as"),
    "person.sign_in_paused": Deed("Sign-in paused", "tried too often to sign in as", "warn"),
    "person.sign_in_refused": Deed("Sign-in refused", "tried to sign in as"),
    "person.update": Deed("Name or e-mail changed", "changed name or e-mail of"),
    "rollout.cancel": Deed("Rollout cancelled", "cancelled", "warn"),
    "rollout.exclude": Deed("Collectors left out", "left collectors out of"),
    "rollout.pause": Deed("Rollout paused", "paused", "warn"),
    "rollout.retry": Deed("Failed collectors retried", "retried collectors of", "move"),
    "rollout.resume": Deed("Rollout resumed", "resumed"),
    "rollout.roll_back": Deed("Rolled back", "rolled back", "fail"),
    "rollout.skip_bake": Deed("Bake skipped", "skipped the bake of"),
    "subscription.create": Deed("Notification made", "made the notification"),
    "subscription.delete": Deed("Notification deleted", "deleted the notification", "fail"),
    "subscription.pause": Deed("Notification paused", "paused the notification", "warn"),
    "subscription.renew_secret": Deed(
        "Secret of a notification renewed", "renewed the secret of the notification"
    ),
    "subscription.resume": Deed("Notification resumed", "resumed the notification"),
    "subscription.test": Deed("Notification tested", "tested the notification"),
    "subscription.update": Deed("Notification changed", "changed the notification"),
    "token.issue": Deed("Token issued", "issued"),
    "token.retire": Deed("Token retired", "retired"),
    "token.revoke": Deed("Token revoked", "revoked", "fail"),
    "token.rotate": Deed("Token rotated", "rotated"),
    "version.archive": Deed("Version archived", "archived"),
    "version.copy": Deed("Version copied", "copied"),
    "version.publish": Deed("Version published", "published", "ok"),
    "version.read_raw": Deed("Unredacted text read", "read the unredacted text of", "warn"),
    "version.save": Deed("Version saved", "saved"),
}


SIGN_INS: Final = frozenset(code for code in DEEDS if code.startswith("person.sign_in"))
"""They change nothing, and are most of what happens."""


def deed_of(code: str) -> Deed:
    """The words for a code; of one that is not known any more, those it is made of."""
    known = DEEDS.get(code)
    if known is not None:
        return known
    verb = code.rpartition(".")[2].replace("_", " ")
    return Deed(code.replace(".", ": ").replace("_", " ").capitalize(), verb)


def codes_said_with(words: str) -> list[str]:
    """The codes whose words hold these: people search for what they read."""
    wanted = words.casefold()
    return [code for code, deed in DEEDS.items() if wanted in deed.title.casefold()]
