"""ETags of single resources, and If-Match on their updates: two people do not overwrite each other unseen."""

import hashlib
import json
from typing import Any

from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from telflo.base.api.problems import PreconditionFailed


def etag_of(representation: Any) -> str:
    """The strong ETag of a resource as the API shows it."""
    text = json.dumps(representation, cls=JSONEncoder, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def check_if_match(request: Request, representation: Any) -> None:
    """Raise PreconditionFailed (412) when If-Match is given and names another state.

    Call it in the transaction of the change, with the row locked, so that nothing comes between.
    """
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return
    if etag_of(representation) not in {tag.strip().removeprefix("W/") for tag in given.split(",")}:
        raise PreconditionFailed
