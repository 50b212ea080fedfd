"""Finding what an address names."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from configs.models import Configuration, ConfigVersion


def configuration_or_404(configuration_id: UUID) -> Configuration:
    """The configuration, archived ones as well."""
    return get_object_or_404(
        Configuration.objects.select_related("created_by"), pk=configuration_id
    )


def version_or_404(configuration_id: UUID, number: int) -> ConfigVersion:
    """A version by its number, without its text."""
    rows = ConfigVersion.objects.without_text().select_related(
        "configuration", "author", "published_by"
    )
    return get_object_or_404(rows, configuration_id=configuration_id, number=number)
