"""Pages of lists."""

from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """Cursor pages."""
