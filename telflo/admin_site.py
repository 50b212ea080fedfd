"""The Django admin: Admins alone, with the sign-in page (and its rate limit) of the application."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest

from telflo.base.access import Action, may


class TelfloAdminSite(AdminSite):
    """Django's admin with our access rule instead of is_staff."""

    site_header = "Telflo administration"
    site_title = "Telflo"
    index_title = "Records"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may use the admin at all."""
        return may(request.user, Action.ADMINISTER)


class TelfloAdminConfig(AdminConfig):
    """Makes TelfloAdminSite the default site."""

    default_site = "telflo.admin_site.TelfloAdminSite"
