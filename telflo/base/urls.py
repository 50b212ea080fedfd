"""URLs of sign-in, people, activity and settings."""

from django.contrib.auth.views import LoginView, LogoutView
from django.shortcuts import render
from django.urls import URLPattern, path

urlpatterns: list[URLPattern] = [
    path("accounts/login/", LoginView.as_view(template_name="accounts/login.html"), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/profile/", lambda request: render(request, "base.html"), name="profile"),
    path("activity/", lambda request: render(request, "base.html"), name="activity"),
    path("settings/", lambda request: render(request, "base.html"), name="settings"),
]
