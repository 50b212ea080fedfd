"""Django app of the first page. It stands above all others, so it counts for the navigation."""

from django.apps import AppConfig


class HomeConfig(AppConfig):
    """The overview."""

    name = "telflo.home"
    label = "home"

    def ready(self) -> None:
        """Tell the navigation who counts."""
        # Models can be imported only now that all apps are loaded.
        from telflo.home.navigation import nav_counts  # noqa: PLC0415
        from telflo.ui.nav import count_with  # noqa: PLC0415

        count_with(nav_counts)
