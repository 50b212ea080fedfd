"""Who may call what: each view says which action each of its calls is; a call without a declaration is refused."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from telflo.base.access import Action, may, what_is_missing
from telflo.base.models import ApiToken, TokenScope

if TYPE_CHECKING:
    # At run time it would be a circle: DRF reads its settings, which name this module, while it is imported.
    from rest_framework.views import APIView


class MayCall(BasePermission):
    """Looks in the view's `required_actions: dict[str, Action]`.

    Its keys are the viewset's actions ("list", "publish"), or methods in lower case for plain views. A read token
    makes no writes, whatever its owner may do; a POST that changes nothing is in the view's `reading_actions`.
    """

    message = "This is not open to anybody."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the call may go on. Raises PermissionDenied with the reason for a token without the scope."""
        action = required_action(request, view)
        if action is None:
            return False
        if not may(request.user, action):
            self.message = what_is_missing(request.user, action)
            return False
        if getattr(view, "action", None) not in getattr(view, "reading_actions", ()):
            _refuse_writes_of_read_tokens(request)
        return True


def required_action(request: Request, view: "APIView") -> Action | None:
    """What the call needs; None when the view does not say, which refuses it."""
    required: dict[str, Action] = getattr(view, "required_actions", {})
    method = (request.method or "").lower()
    if not callable(getattr(view, method, None)) or method == "options":
        # 405, and the description of a view, need no more than a look.
        return Action.VIEW
    return required.get(getattr(view, "action", None) or method)


def _refuse_writes_of_read_tokens(request: Request) -> None:
    token = request.auth
    if (
        isinstance(token, ApiToken)
        and token.scope != TokenScope.WRITE
        and request.method not in SAFE_METHODS
    ):
        raise PermissionDenied(
            "This API token may only read. Make one with the scope write.", "read-only-token"
        )
