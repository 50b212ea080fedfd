"""Django-admin pages that show and change nothing: changes go through services."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

_Row = TypeVar("_Row", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[_Row]):
    """Lists and single rows, without add, change and delete."""

    actions: Any = None
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: rows open as text."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may use the admin at all; TelfloAdminSite checked that."""
        return True

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As for viewing."""
        return True
