"""A new fleet and its first token."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from configs.models import ConfigVersion
from fleets.forms import FleetForm, newest_of_the_only_configuration
from fleets.services import create_fleet_with_token
from fleets.views.address import where_tokens_go
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires


@requires(Action.EDIT, methods=("GET", "POST"))
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """`?version=` chooses. The answer to the POST shows the first token, once, to those who may issue tokens."""
    may_enrol = may(request.user, Action.ENROL)
    proposed = request.GET.get("version") or newest_of_the_only_configuration()
    form = FleetForm(request.POST or None, may_enrol=may_enrol, initial={"version": proposed})
    if request.method == "POST" and form.is_valid():
        try:
            fleet, issued = create_fleet_with_token(actor=actor_of(request), **form.wanted())
        except DomainError as error:
            add_domain_error(form, error)
        else:
            if issued is None:
                return redirect("fleets:detail", fleet.slug)
            context = {"fleet": fleet, "issued": issued, "heading": f"{fleet} is ready"}
            return render(request, "fleets/created.html", {**context, **where_tokens_go(request)})
    context = {
        "form": form,
        "may_enrol": may_enrol,
        "has_versions": ConfigVersion.objects.published().exists(),
    }
    return render(request, "fleets/new.html", context, status=422 if form.errors else 200)
