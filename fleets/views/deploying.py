"""Quick deploy: make a command, watch the first collector come, revoke it."""

from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from agents.models import Health, Status
from fleets.deploy_form import DeployForm
from fleets.models import Deployment, Fleet
from fleets.quickdeploy.plan import is_loopback, opamp_endpoint
from fleets.quickdeploy.releases import KNOWN_VERSIONS
from fleets.quickdeploy.services import (
    IssuedDeployment,
    commands,
    create_deployment,
    manual_steps,
    plan_of,
    public_url,
    revoke_deployment,
)
from fleets.views.address import address_of
from fleets.views.hosts import HostRow, hosts_of, look_again_in, silent_hosts
from fleets.views.refusals import refused_since
from fleets.views.subject import deployment_or_404, fleet_or_404
from telflo.base import clock
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask_first
from telflo.ui.numbers import counted
from telflo.ui.track import TrackStage


@requires(Action.ENROL, methods=("GET", "POST"))
@never_cache
@sensitive_post_parameters("secret_environment")
def deploy(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """Choose what to install; the answer to the POST holds the command, this once."""
    fleet = fleet_or_404(fleet_name)
    form = DeployForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            issued = create_deployment(fleet=fleet, actor=actor_of(request), **form.values())
        except DomainError as error:
            form.refuse(error)
        else:
            return _command(request, fleet, issued)
    return _form(request, fleet, form)


def _form(request: HttpRequest, fleet: Fleet, form: DeployForm) -> HttpResponse:
    address = public_url(address_of(request))
    context = {
        "fleet": fleet,
        "heading": f"Deploy collectors into {fleet}",
        "form": form,
        "versions": KNOWN_VERSIONS,
        "address": address,
        "is_loopback": is_loopback(address),
        "earlier": fleet.deployments.defer("secret_environment")[:4],
        "now": clock.now(),
    }
    return render(request, "fleets/deploy.html", context, status=422 if form.errors else 200)


def _command(request: HttpRequest, fleet: Fleet, issued: IssuedDeployment) -> HttpResponse:
    deployment, address = issued.deployment, address_of(request)
    secret = {
        "commands": commands(issued.code, base_url=address),
        "steps_by_hand": manual_steps(deployment, issued.code, base_url=address),
        "script_url": f"{public_url(address)}/install/{issued.code}",
    }
    return render(
        request, "fleets/deployment.html", {**_shown(request, fleet, deployment), **secret}
    )


@requires(Action.VIEW)
def deployment(request: HttpRequest, fleet_name: str, deployment_id: Any) -> HttpResponse:
    """A command that was made, without its code."""
    fleet = fleet_or_404(fleet_name)
    found = deployment_or_404(fleet, deployment_id)
    return render(request, "fleets/deployment.html", _shown(request, fleet, found))


@requires(Action.ENROL, methods=("GET", "POST"))
def revoke(request: HttpRequest, fleet_name: str, deployment_id: Any) -> HttpResponse:
    """Nobody can use the command from then on, once it was confirmed."""
    fleet = fleet_or_404(fleet_name)
    found = deployment_or_404(fleet, deployment_id)
    hosts = found.tokens.count()
    question = Question(
        title="Revoke this command?",
        body=f"It installs nothing from then on. {counted(hosts, 'host')} that used it keep their"
        " tokens; revoke those one by one.",
        verb="Revoke the command",
        tone="danger",
        back_url=reverse("fleets:deployment", args=[fleet.slug, found.pk]),
    )
    change = partial(revoke_deployment, deployment=found, actor=actor_of(request))
    return ask_first(request, question, change, done="The command is revoked")


def _shown(request: HttpRequest, fleet: Fleet, found: Deployment) -> dict[str, Any]:
    now = clock.now()
    hosts = hosts_of(found)
    plan = plan_of(found, base_url=address_of(request))
    first = next((host.agent for host in hosts if host.agent), None)
    prefixes = [host.token.prefix for host in hosts]
    return {
        "fleet": fleet,
        "deployment": found,
        "heading": f"{found.get_platform_display()} into {fleet}",
        "is_open": found.is_open(now) and found.uses < found.max_uses,
        "state": _state(found, now),
        "plan": plan,
        "options": plan.options,
        "hosts": hosts,
        "first": first,
        "steps": _steps(fleet, hosts),
        "silent": silent_hosts(hosts, now),
        "look_again_in": look_again_in(hosts, now),
        "reach": f"curl -sSi {opamp_endpoint(plan.opamp_url, 'http')}",
        "refused": refused_since(found, prefixes, is_surely_its_own=first is not None),
        "is_loopback": is_loopback(plan.base_url),
        "may_enrol": request.user.is_authenticated and request.user.may(Action.ENROL),
    }


def _state(found: Deployment, now: datetime) -> str:
    """A word of the vocabulary for tokens."""
    if found.revoked_at is not None:
        return "revoked"
    if now >= found.expires_at:
        return "expired"
    return "retired" if found.uses >= found.max_uses else "active"


def _steps(fleet: Fleet, hosts: list[HostRow]) -> list[TrackStage]:
    """Four stations of the first host: claimed, connected, configured, healthy."""
    first = next((host for host in hosts if host.agent), hosts[0] if hosts else None)
    agent = first.agent if first else None
    status = agent.status if agent else None
    goal = f"Applies {fleet.stable_version or fleet.version}" if fleet.version else "Is observed"
    done = (
        first is not None,
        agent is not None,
        status is not None and (not status.is_managed or status.status == Status.IN_SYNC),
        status is not None and status.health_now == Health.HEALTHY,
    )
    has_failed = (
        False,
        False,
        status is not None and status.status in (Status.FAILED, Status.ROLLED_BACK),
        status is not None and status.health_now == Health.UNHEALTHY,
    )
    words = ("Script ran" if first else "Script runs", "Connects", goal, "Reports healthy")
    lines = (f"on {first.token.name}" if first else "", str(agent or ""), "", "")
    return [
        TrackStage(
            number=place + 1,
            name=words[place],
            state=_step_state(done, has_failed, place),
            line1=lines[place],
            percent=100 if done[place] else 0,
        )
        for place in range(len(words))
    ]


def _step_state(done: tuple[bool, ...], has_failed: tuple[bool, ...], place: int) -> str:
    if has_failed[place]:
        return "failed"
    if done[place]:
        return "passed"
    # Before its script ran, a host does nothing that could be under way.
    return "running" if place and all(done[:place]) else "waiting"
