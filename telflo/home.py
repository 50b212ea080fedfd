"""The overview: the fleet in one page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def overview(request: HttpRequest) -> HttpResponse:
    """The first page."""
    return render(request, "home/overview.html")
