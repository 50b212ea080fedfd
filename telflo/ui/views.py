"""Views of the design system: the theme switch for browsers without script, and the kit."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from telflo.ui.asking import way_back
from telflo.ui.context import THEME_COOKIE, THEMES
from telflo.ui.samples import kit_samples

_YEAR_SECONDS = 365 * 24 * 3600


@login_not_required
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie and go back to the page the choice was made on."""
    wanted = request.POST.get("theme", "")
    response = HttpResponseRedirect(way_back(request, request.POST.get("next", ""), "/"))
    if wanted in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            wanted,
            max_age=_YEAR_SECONDS,
            samesite="Lax",
            secure=request.is_secure(),
        )
    return response


@login_not_required
@require_safe
def kit(request: HttpRequest) -> HttpResponse:
    """Show every part of the design system once, with sample data (only while developing)."""
    return render(request, "kit.html", kit_samples())
