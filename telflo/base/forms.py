"""Forms of people and their tokens."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.password_validation import validate_password

from telflo.base.access import Role
from telflo.base.errors import DomainError
from telflo.base.models import TokenScope, User
from telflo.base.people import LONGEST_USERNAME

ROLES = [
    (Role.VIEWER.value, "Viewer: sees everything, changes nothing"),
    (Role.OPERATOR.value, "Operator: assigns versions, moves collectors"),
    (Role.EDITOR.value, "Editor: also writes configurations and fleets"),
    (Role.ADMIN.value, "Admin: also tokens, people and settings"),
]
LIFETIMES: dict[str, timedelta | None] = {
    "30d": timedelta(days=30),
    "180d": timedelta(days=180),
    "1y": timedelta(days=365),
    "never": None,
}
_LIFETIME_WORDS = {"30d": "30 days", "180d": "180 days", "1y": "1 year", "never": "Never"}


def add_domain_error(form: forms.BaseForm, error: DomainError) -> None:
    """Show a service's refusal at the field it names, else at the head of the form."""
    form.add_error(error.field if error.field in form.fields else None, error.message)


class SignInForm(AuthenticationForm):
    """Who signs in. A name that nobody can have is refused before it is looked up, and before the try is counted."""

    username = UsernameField(max_length=LONGEST_USERNAME)


class InviteForm(forms.Form):
    """Whom an admin invites."""

    username = forms.CharField(label="User name", max_length=LONGEST_USERNAME)
    email = forms.EmailField(label="E-mail", required=False)
    role = forms.ChoiceField(label="Role", choices=ROLES, initial=Role.VIEWER.value)


class RoleForm(forms.Form):
    """Another role for a person."""

    role = forms.ChoiceField(label="Role", choices=ROLES)


class NameForm(forms.ModelForm[User]):
    """What a person may change of themselves."""

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email"]


class NewPasswordForm(forms.Form):
    """A first password, by an invitation or a reset link."""

    password = forms.CharField(
        label="Password",
        strip=False,
        help_text="12 characters or more. A few words in a row are easy to keep.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="The same again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_password(self) -> str:
        """The password, if the rules of settings.AUTH_PASSWORD_VALIDATORS let it pass."""
        password = str(self.cleaned_data["password"])
        validate_password(password, self._user)
        return password

    def clean(self) -> dict[str, Any]:
        """Both fields hold the same."""
        data = super().clean() or {}
        if "password" in data and data["password"] != data.get("again"):
            self.add_error("again", "The two passwords differ.")
        return data


class ApiTokenForm(forms.Form):
    """A new API token of one's own."""

    name = forms.CharField(label="Name", max_length=100, help_text="What uses it, e.g. “CI”.")
    scope = forms.ChoiceField(
        label="May",
        choices=[(TokenScope.READ, "Read"), (TokenScope.WRITE, "Read and write")],
        initial=TokenScope.READ,
    )
    expires = forms.ChoiceField(
        label="Expires", choices=list(_LIFETIME_WORDS.items()), initial="180d"
    )

    def lifetime(self) -> timedelta | None:
        """How long the token lives; None for ever."""
        return LIFETIMES[self.cleaned_data["expires"]]
