"""The Django admin of people, API tokens and activity. People are managed in the pages; tokens can be revoked here."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from telflo.base.activity import actor_of
from telflo.base.api_tokens import revoke_api_token
from telflo.base.models import Activity, ApiToken, User
from telflo.base.readonly_admin import ReadOnlyAdmin

# Groups give nobody anything here: the role says it all.
admin.site.unregister(Group)


@admin.register(User)
class PersonAdmin(ReadOnlyAdmin[User]):
    """People, without their passwords."""

    list_display = ["username", "display_name", "email", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["username", "email", "first_name", "last_name"]
    fields = [
        "username",
        "first_name",
        "last_name",
        "email",
        "role",
        "is_active",
        "date_joined",
        "last_login",
    ]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    """API tokens, without hashes."""

    actions = ["revoke"]
    list_display = ["name", "user", "prefix", "scope", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["scope"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username", "prefix"]
    fields = [
        "name",
        "user",
        "prefix",
        "scope",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ]

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End each at once, through the service."""
        for token in queryset:
            revoke_api_token(token=token, actor=actor_of(request))
        self.message_user(request, "The tokens are revoked.")


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin[Activity]):
    """The activity log."""

    list_display = ["at", "actor_label", "action", "object_label", "reason"]
    list_filter = ["actor_kind", "object_type"]
    search_fields = ["actor_label", "action", "object_label", "object_id"]
    date_hierarchy = "at"
