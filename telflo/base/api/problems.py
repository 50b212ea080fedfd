"""Errors of the API as RFC 9457 application/problem+json: what went wrong, where, and nothing of the inside."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final, TypedDict

from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework.exceptions import (
    APIException,
    ErrorDetail,
    PermissionDenied,
    Throttled,
    ValidationError,
)
from rest_framework.exceptions import (
    NotFound as ApiNotFound,
)
from rest_framework.response import Response
from rest_framework.views import set_rollback

from telflo.base import logs
from telflo.base.errors import Conflict, DomainError, Finding, NotFound, Refused

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
AWAY: Final = (InterfaceError, OperationalError)
"""What a database raises that is away, hangs, or has no connection left."""
AWAY_S: Final = 10
"""When to ask again."""
AWAY_WORDS: Final = "The database does not answer. Try again in a moment."
_DOMAIN_STATUS = ((NotFound, 404), (Conflict, 409), (Refused, 403))


class FieldError(TypedDict, total=False):
    """One fault: `pointer` (RFC 6901) into the body, or the name of a query parameter; a text's place from 1."""

    pointer: str
    code: str
    message: str
    line: int
    column: int


class PreconditionFailed(APIException):
    """If-Match names another state of the resource than the present one."""

    status_code = 412
    default_detail = "It changed since you read it. Read it again, then repeat the change."
    default_code = "changed"


class TooLarge(APIException):
    """The body is longer than any call needs."""

    status_code = 413
    default_code = "too-large"

    def __init__(self) -> None:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20
        super().__init__(f"The body is too large. The most is {most} MiB.")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """The problem that answers an exception of a view. What nobody expected is logged under a reference."""
    set_rollback()
    if isinstance(error, DomainError):
        return _of_domain(error)
    if isinstance(error, Http404):
        error = ApiNotFound("There is nothing at this address.")
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    if isinstance(error, DjangoPermissionDenied):
        error = PermissionDenied()
    if isinstance(error, APIException):
        return _of_api(error)
    if isinstance(error, AWAY):
        logger.warning("A call of the API was not answered: the database does not answer.")
        return problem(503, "database-away", AWAY_WORDS, headers={"Retry-After": str(AWAY_S)})
    return _unexpected(error, context)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
    **members: str,
) -> Response:
    """A problem answer. `code` becomes the type; `detail` is for people; `members` are further fields."""
    body = problem_body(status, code, detail, errors or []) | members
    return Response(body, status=status, content_type=MEDIA_TYPE, headers=headers)


def problem_body(
    status: int, code: str, detail: str, errors: list[FieldError]
) -> dict[str, object]:
    """The JSON of a problem."""
    return {
        "type": f"urn:telflo:problem:{code.replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": errors,
    }


def _of_domain(error: DomainError) -> Response:
    status = next((status for kind, status in _DOMAIN_STATUS if isinstance(error, kind)), 422)
    pointer = f"/{error.field}" if error.field else ""
    errors = [_of_finding(finding, pointer) for finding in error.findings]
    if pointer and not errors:
        errors = [FieldError(pointer=pointer, code=error.code, message=error.message)]
    answer = problem(status, error.code, error.message, errors=errors)
    answer.data.update(error.members)
    return answer


def _of_finding(finding: Finding, pointer: str) -> FieldError:
    found = FieldError(pointer=pointer, code=finding.code, message=finding.message)
    if finding.line:
        found["line"], found["column"] = finding.line, finding.column
    return found


def _of_api(error: APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]  # set by APIView
    if isinstance(error, Throttled) and getattr(error, "wait", None) is not None:
        headers["Retry-After"] = str(int(getattr(error, "wait", 0)) + 1)
    if isinstance(error, ValidationError):
        errors = list(_flattened(error.detail, ""))
        count = f"{len(errors)} values are" if len(errors) > 1 else "One value is"
        return problem(error.status_code, "invalid", f"{count} not right.", errors=errors)
    detail = error.detail
    code = getattr(detail, "code", error.default_code)
    return problem(error.status_code, code, str(detail), headers=headers)


def _flattened(detail: Any, pointer: str) -> Iterator[FieldError]:
    """The errors in a serializer's nest of dicts and lists."""
    if isinstance(detail, dict):
        for key, part in detail.items():
            name = "" if key == "non_field_errors" else f"/{_escaped(str(key))}"
            yield from _flattened(part, pointer + name)
    elif isinstance(detail, list):
        for at, part in enumerate(detail):
            is_text = isinstance(part, str)
            yield from _flattened(part, pointer if is_text else f"{pointer}/{at}")
    else:
        code = (detail.code if isinstance(detail, ErrorDetail) else None) or "invalid"
        yield FieldError(pointer=pointer, code=code.replace("_", "-"), message=str(detail))


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _unexpected(error: Exception, context: dict[str, Any]) -> Response:
    reference = logs.reference()
    view = type(context.get("view")).__name__
    logger.error("API call failed in %s, reference %s.", view, reference, exc_info=error)
    return problem(
        500, "internal", f"The server failed. Reference {reference}.", reference=reference
    )
