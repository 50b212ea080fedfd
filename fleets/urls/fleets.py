"""URLs of the fleets' pages. A fleet is named by its slug or its id."""

from django.urls import URLPattern, path

from fleets.views import assigning, connection, creating, deploying, detail, listing

app_name = "fleets"
urlpatterns: list[URLPattern] = [
    path("", listing.listing, name="list"),
    path("new/", creating.new, name="new"),
    path("<slug:fleet_name>/", detail.collectors, name="detail"),
    path("<slug:fleet_name>/rollouts/", detail.rollouts, name="rollouts"),
    path("<slug:fleet_name>/deployments/", detail.deployments, name="deployments"),
    path("<slug:fleet_name>/tokens/", detail.tokens, name="tokens"),
    path("<slug:fleet_name>/settings/", detail.settings, name="settings"),
    path("<slug:fleet_name>/connection/", connection.edit, name="connection"),
    path("<slug:fleet_name>/activity/", detail.activity, name="activity"),
    path("<slug:fleet_name>/archive/", detail.archive, name="archive"),
    path("<slug:fleet_name>/assign/", assigning.assign, name="assign"),
    path("<slug:fleet_name>/deploy/", deploying.deploy, name="deploy"),
    path(
        "<slug:fleet_name>/deployments/<uuid:deployment_id>/",
        deploying.deployment,
        name="deployment",
    ),
    path(
        "<slug:fleet_name>/deployments/<uuid:deployment_id>/revoke/",
        deploying.revoke,
        name="deployment-revoke",
    ),
]
