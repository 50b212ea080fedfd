"""The URL map: pages, the API, quick deploy, the Django admin, health."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from telflo import health
from telflo.api import IndexView
from telflo.home import views as home
from telflo.home.activity import activity

handler400 = "telflo.base.views.failed.bad_request"
handler403 = "telflo.base.views.refused.permission_denied"
handler500 = "telflo.base.views.failed.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.overview, name="overview"),
    path("activity/", activity, name="activity"),
    path("", include("telflo.base.urls")),
    path("", include("telflo.ui.urls")),
    path("", include("telflo.system.urls")),
    path("settings/notifications/", include("notices.urls")),
    path("configurations/", include("configs.urls")),
    path("catalog/", include("configs.catalog_urls")),
    path("collectors/", include("agents.urls")),
    path("fleets/", include("fleets.urls.fleets")),
    path("rollouts/", include("fleets.urls.rollouts")),
    path("tokens/", include("fleets.urls.tokens")),
    path("install/", include("fleets.install_urls")),
    path("api/", IndexView.as_view(), name="api"),
    path("api/v1/", include("telflo.api")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
