"""Finding what an address names."""

from uuid import UUID

from django.db.models import Q
from django.shortcuts import get_object_or_404

from fleets.models import Deployment, Fleet, Rollout, Token


def fleet_or_404(name: str) -> Fleet:
    """A fleet by its slug or its id, archived ones as well."""
    rows = Fleet.objects.select_related(
        "version__configuration", "stable_version__configuration", "created_by"
    ).defer("version__yaml", "stable_version__yaml")
    return get_object_or_404(rows, fleet_named(name))


def fleet_named(name: str) -> Q:
    """The condition for a fleet by slug or id."""
    try:
        return Q(pk=UUID(name))
    except ValueError:
        return Q(slug=name)


def token_or_404(token_id: UUID) -> Token:
    """A token with its fleet."""
    return get_object_or_404(Token.objects.select_related("fleet"), pk=token_id)


def deployment_or_404(fleet: Fleet, deployment_id: UUID) -> Deployment:
    """A deployment of the fleet."""
    rows = Deployment.objects.select_related("created_by").defer("secret_environment")
    return get_object_or_404(rows, fleet=fleet, pk=deployment_id)


def rollout_or_404(number: int) -> Rollout:
    """A rollout by its number, without the texts of its versions."""
    rows = Rollout.objects.select_related(
        "fleet", "version__configuration", "from_version__configuration", "created_by"
    ).defer("version__yaml", "from_version__yaml")
    return get_object_or_404(rows, number=number)
