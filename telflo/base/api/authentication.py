"""Who calls the API: a person's program by its token, or a person's browser by its session."""

from datetime import timedelta

from django.db.models import Q
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from telflo.base.api_tokens import PREFIX
from telflo.base.clock import now
from telflo.base.models import ApiToken, User
from telflo.base.secrets import hash_secret

_NOTE_USE_EVERY = timedelta(minutes=1)


class ApiTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer tlf_u_…`. request.auth is the ApiToken; MayCall looks at its scope."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The person and the token; None when another way is used. Raises AuthenticationFailed (401)."""
        scheme, _, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        return self._authenticated(secret.strip().decode("ascii", errors="replace"))

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says in WWW-Authenticate."""
        return 'Bearer realm="Telflo API"'

    def _authenticated(self, secret: str) -> tuple[User, ApiToken]:
        if not secret.startswith(PREFIX):
            raise AuthenticationFailed(
                f"This is no API token: those begin with {PREFIX}.", "not-an-api-token"
            )
        token = (
            ApiToken.objects.select_related("user").filter(secret_hash=hash_secret(secret)).first()
        )
        if token is None:
            raise AuthenticationFailed("This API token is not known.", "unknown-token")
        if token.revoked_at is not None:
            raise AuthenticationFailed("This API token is revoked.", "revoked-token")
        if not token.is_live(now()):
            raise AuthenticationFailed("This API token has expired.", "expired-token")
        if not token.user.is_active:
            raise AuthenticationFailed("The person of this API token is disabled.", "disabled")
        _note_use(token)
        return token.user, token


def _note_use(token: ApiToken) -> None:
    """Write last_used_at at most once a minute: a busy program costs no write per call."""
    at = now()
    since = at - _NOTE_USE_EVERY
    if token.last_used_at is None or token.last_used_at < since:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=since)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=at)


class BrowserSessionAuthentication(SessionAuthentication):
    """The browser's session, with CSRF on every write."""
