"""Signing in and out, and setting a password by a one-time link."""

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from telflo.base.errors import DomainError
from telflo.base.forms import NewPasswordForm, SignInForm, add_domain_error
from telflo.base.people import accept_link, person_of_link
from telflo.base.sign_in import pause_minutes, record_sign_in, tries_left

BACKEND = "django.contrib.auth.backends.ModelBackend"


@method_decorator(
    [login_not_required, require_http_methods(["GET", "HEAD", "POST"])], name="dispatch"
)
class SignIn(LoginView):
    """The sign-in page. Wrong tries are counted (telflo/base/sign_in.py), and it says how many are left."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """In, with an entry in the activity log."""
        response = super().form_valid(form)
        record_sign_in(self.request, form.get_user())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form again, with the name kept."""
        left = tries_left(self.request, form.cleaned_data.get("username", ""))
        context = self.get_context_data(form=form, tries_left=left)
        return self.render_to_response(context, status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page shows beside the form."""
        return {"pause_minutes": pause_minutes(), **super().get_context_data(**kwargs)}


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def follow_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Set a password by an invitation or a reset link, then sign in. A dead link says so."""
    try:
        person = person_of_link(secret)
    except DomainError as error:
        return render(request, "accounts/dead_link.html", {"error": error}, status=410)
    form = NewPasswordForm(request.POST or None, user=person)
    if request.method == "POST" and form.is_valid():
        try:
            person = accept_link(secret=secret, password=form.cleaned_data["password"])
        except DomainError as error:
            add_domain_error(form, error)
        else:
            login(request, person, backend=BACKEND)
            return redirect("overview")
    status = 422 if form.errors else 200
    return render(request, "accounts/link.html", {"form": form, "person": person}, status=status)
