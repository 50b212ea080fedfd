"""The installation's settings, but that who is turned away comes back while a round lasts: no setting allows that."""

from telflo.settings import *  # noqa: F403

OPAMP_RETRY_AFTER_S = 1
