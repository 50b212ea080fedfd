"""The pages of a seeded installation by name."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import BrowserContext

PLACES: Final = {
    "overview": "/",
    "fleets": "/fleets/",
    "new fleet": "/fleets/new/",
    "fleet": "/fleets/edge-eu/",
    "fleet rollouts": "/fleets/edge-eu/rollouts/",
    "fleet deployments": "/fleets/edge-eu/deployments/",
    "fleet tokens": "/fleets/edge-eu/tokens/",
    "fleet settings": "/fleets/edge-eu/settings/",
    "fleet connection": "/fleets/edge-eu/connection/",
    "fleet activity": "/fleets/edge-eu/activity/",
    "archive fleet": "/fleets/edge-eu/archive/",
    "assign": "/fleets/edge-us/assign/",
    "deploy": "/fleets/edge-eu/deploy/",
    "deployment": "/fleets/edge-eu/deployments/{deployment}/",
    "collectors": "/collectors/",
    "collectors, failed": "/collectors/?status=failed",
    "collectors, none": "/collectors/?q=nobody-has-this-name",
    "collector": "/collectors/{failed}/",
    "collector configuration": "/collectors/{failed}/configuration/",
    "collector timeline": "/collectors/{failed}/timeline/",
    "collector attempts": "/collectors/{failed}/attempts/",
    "collector components": "/collectors/{failed}/components/",
    "retry collector": "/collectors/{failed}/retry/",
    "collector messages": "/collectors/{talking}/messages/",
    "talking collector": "/collectors/{talking}/",
    "copied collector": "/collectors/{copied}/",
    "copied collector timeline": "/collectors/{copied}/timeline/",
    "restart collector": "/collectors/{talking}/restart/",
    "edit collector": "/collectors/{failed}/edit/",
    "move collector": "/collectors/{failed}/move/",
    "forget collector": "/collectors/{failed}/forget/",
    "unhealthy collector": "/collectors/{unhealthy}/",
    "drifted collector": "/collectors/{drifted}/",
    "drifted collector timeline": "/collectors/{drifted}/timeline/",
    "configurations": "/configurations/",
    "new configuration": "/configurations/new/",
    "configuration": "/configurations/{configuration}/",
    "edit configuration": "/configurations/{configuration}/edit/",
    "version": "/configurations/{configuration}/versions/4/",
    "raw version": "/configurations/{configuration}/versions/4/raw/",
    "publish version": "/configurations/{configuration}/versions/5/publish/",
    "new configuration from a template": "/configurations/new/?template=nginx-logs",
    "copy version": "/configurations/{configuration}/versions/4/copy/",
    "draft": "/configurations/{configuration}/draft/",
    "discard draft": "/configurations/{configuration}/draft/discard/",
    "restore version": "/configurations/{configuration}/versions/2/restore/",
    "compare versions": "/configurations/{configuration}/compare/?from=2&to=4",
    "compare side by side": "/configurations/{configuration}/compare/?from=4&to=draft&view=sides",
    "catalog": "/catalog/",
    "catalog, filtered": "/catalog/?version=0.158.0&kind=receivers&signal=logs&q=log",
    "catalog, none": "/catalog/?q=nothing-has-this-name",
    "component": "/catalog/0.158.0/receivers/otlp/",
    "connector": "/catalog/0.158.0/connectors/span_metrics/",
    "rollouts": "/rollouts/",
    "rollout": "/rollouts/{rollout}/",
    "tokens": "/tokens/",
    "new token": "/tokens/new/",
    "rotate token": "/tokens/{token}/rotate/",
    "revoke token": "/tokens/{token}/revoke/",
    "refused attempts": "/tokens/refused/",
    "activity": "/activity/",
    "settings": "/settings/",
    "system": "/settings/system/",
    "limits": "/settings/limits/",
    "notifications": "/settings/notifications/",
    "notification": "/settings/notifications/{notification}/",
    "new webhook": "/settings/notifications/new/webhook/",
    "new Slack notification": "/settings/notifications/new/slack/",
    "people": "/settings/people/",
    "profile": "/accounts/profile/",
}


def ids_of(context: BrowserContext) -> dict[str, Any]:
    """What the addresses name, asked of the API with the browser's session."""

    def results(path: str) -> Any:
        return context.request.get(f"/api/v1/{path}").json()["results"]

    lines = {line["name"]: line["id"] for line in results("configurations/")}
    notices = {one["name"]: one["id"] for one in results("webhooks/")}
    return {
        "failed": results("agents/?status=failed")[0]["instance_uid"],
        "talking": results("agents/?fleet=edge-eu&q=edge-eu-ams-000")[0]["instance_uid"],
        "copied": results("agents/?q=edge-us-iad-000")[0]["instance_uid"],
        "drifted": results("agents/?q=edge-us-iad-004")[0]["instance_uid"],
        "unhealthy": results("agents/?health=unhealthy")[0]["instance_uid"],
        "configuration": lines["edge gateway"],
        "deployment": results("fleets/edge-eu/deployments/")[0]["id"],
        "token": results("fleets/edge-eu/tokens/")[0]["id"],
        "rollout": results("rollouts/")[0]["number"],
        "notification": notices["on call"],
    }
