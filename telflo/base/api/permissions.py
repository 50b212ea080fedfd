"""Who may call."""

from rest_framework.permissions import IsAdminUser


class MayCall(IsAdminUser):
    """Refuses by default."""
