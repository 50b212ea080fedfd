"""URLs of quick deploy for hosts."""

from django.urls import path

from fleets import install_views

urlpatterns = [
    path("<str:code>", install_views.script, name="install-script"),
    path("<str:code>/check", install_views.check, name="install-check"),
    path("<str:code>/held", install_views.held, name="install-held"),
    path("<str:code>/claim", install_views.claim, name="install-claim"),
]
