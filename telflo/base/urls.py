"""URLs of sign-in, profile, people and settings."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from telflo.base.views import accounts, people, profile, settings

urlpatterns: list[URLPattern] = [
    path("accounts/login/", accounts.SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/link/<str:secret>/", accounts.follow_link, name="account-link"),
    path("accounts/profile/", profile.profile, name="profile"),
    path("accounts/password/", profile.change_password, name="password"),
    path("accounts/tokens/", profile.create_token, name="api-token-create"),
    path("accounts/tokens/<uuid:token_id>/revoke/", profile.revoke_token, name="api-token-revoke"),
    path("settings/", settings.settings, name="settings"),
    path("settings/people/", people.people, name="people"),
    path("settings/people/<int:person_id>/role/", people.change_role, name="person-role"),
    path("settings/people/<int:person_id>/reset/", people.reset, name="person-reset"),
    path("settings/people/<int:person_id>/disable/", people.disable, name="person-disable"),
    path("settings/people/<int:person_id>/enable/", people.enable, name="person-enable"),
]
