"""This server's own address, as pages tell it."""

from typing import Any

from django.http import HttpRequest

from fleets.quickdeploy.plan import is_loopback
from fleets.quickdeploy.services import opamp_url, public_url, supervisor_file


def address_of(request: HttpRequest) -> str:
    """How the browser reached us; TELFLO_BASE_URL wins over it wherever hosts are told."""
    return f"{request.scheme}://{request.get_host()}"


def where_tokens_go(request: HttpRequest) -> dict[str, Any]:
    """The context of tokens/_where.html."""
    address = public_url(address_of(request))
    return {
        "supervisor_file": supervisor_file(base_url=address),
        "polling": opamp_url(address, "http"),
        "address": address,
        "is_loopback": is_loopback(address),
    }
