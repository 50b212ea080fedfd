"""URLs of the tokens' pages."""

from django.urls import URLPattern, path

from fleets.views import tokens

app_name = "tokens"
urlpatterns: list[URLPattern] = [
    path("", tokens.listing, name="list"),
    path("new/", tokens.new, name="new"),
    path("refused/", tokens.refused, name="refused"),
    path("<uuid:token_id>/rotate/", tokens.rotate, name="rotate"),
    path("<uuid:token_id>/retire/", tokens.retire, name="retire"),
    path("<uuid:token_id>/revoke/", tokens.revoke, name="revoke"),
]
