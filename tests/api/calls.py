"""Every call of the API, as one who may do all makes it."""

from typing import Any

EVENTS = ["rollout.paused"]


MAIL = ["a@example.com"]


CALLS: dict[tuple[str, str], tuple[str, Any]] = {
    ("get", "agents/"): ("agents/?status=pending&label.site=ams", None),
    ("get", "agents/{uid}/"): ("agents/{uid}/", None),
    ("patch", "agents/{uid}/"): ("agents/{uid}/", {"labels": {"site": "ams"}, "name": "one"}),
    ("delete", "agents/{uid}/"): ("agents/{uid}/", None),
    ("get", "agents/{uid}/effective-config/"): ("agents/{uid}/effective-config/?raw=true", None),
    ("get", "agents/{uid}/components/"): ("agents/{uid}/components/", None),
    ("post", "agents/{uid}/restart/"): ("agents/{uid}/restart/", {"reason": "stuck"}),
    ("post", "agents/{uid}/retry/"): ("agents/{failed}/retry/", {"reason": "x"}),
    ("get", "agents/{uid}/drift/"): ("agents/{drifted}/drift/", None),
    ("post", "agents/{uid}/adopt/"): ("agents/{drifted}/adopt/", {"reason": "x"}),
    ("post", "agents/{uid}/mode/"): ("agents/{uid}/mode/", {"mode": "observed", "reason": "x"}),
    ("get", "agents/{uid}/messages/"): ("agents/{uid}/messages/", None),
    ("post", "agents/{uid}/messages/"): (
        "agents/{uid}/messages/",
        {"capability": "io.example.ping", "type": "ping", "text": "1"},
    ),
    ("get", "agents/{uid}/events/"): ("agents/{uid}/events/", None),
    ("get", "api-tokens/"): ("api-tokens/", None),
    ("post", "api-tokens/"): ("api-tokens/", {"name": "x", "scope": "read", "expires": "180d"}),
    ("get", "api-tokens/{id}/"): ("api-tokens/{api_token}/", None),
    ("post", "api-tokens/{id}/revoke/"): ("api-tokens/{api_token}/revoke/", {}),
    ("get", "configurations/"): ("configurations/", None),
    ("post", "configurations/"): ("configurations/", {"name": "x"}),
    ("get", "configurations/{id}/"): ("configurations/{configuration}/", None),
    ("patch", "configurations/{id}/"): ("configurations/{configuration}/", {"name": "y"}),
    ("post", "configurations/{id}/archive/"): ("configurations/{spare}/archive/", {}),
    ("get", "configurations/{id}/versions/"): ("configurations/{configuration}/versions/", None),
    ("post", "configurations/{id}/versions/"): (
        "configurations/{configuration}/versions/",
        {"yaml": "receivers:\n  otlp:\n", "note": "x"},
    ),
    ("get", "configurations/{id}/versions/{number}/"): (
        "configurations/{configuration}/versions/1/?raw=1",
        None,
    ),
    ("get", "catalog/"): ("catalog/", None),
    ("get", "catalog/{version}/components/"): ("catalog/0.158.0/components/", None),
    ("get", "catalog/{version}/components/{kind}/{component_type}/"): (
        "catalog/0.158.0/components/exporters/otlp/",
        None,
    ),
    ("get", "configurations/{id}/draft/"): ("configurations/{configuration}/draft/?raw=1", None),
    ("put", "configurations/{id}/draft/"): (
        "configurations/{configuration}/draft/",
        {"yaml": "receivers:\n", "lock_version": 1, "collector_version": "0.158.0"},
    ),
    ("delete", "configurations/{id}/draft/"): (
        "configurations/{configuration}/draft/?lock_version=1",
        None,
    ),
    ("post", "configurations/{id}/draft/save/"): (
        "configurations/{configuration}/draft/save/",
        {"note": "x"},
    ),
    ("get", "deployments/{id}/"): ("deployments/{deployment}/", None),
    ("post", "deployments/{id}/revoke/"): ("deployments/{deployment}/revoke/", {"reason": "x"}),
    ("get", "events/"): ("events/?limit=2", None),
    ("get", "events/{id}/"): ("events/{event}/", None),
    ("get", "fleets/"): ("fleets/", None),
    ("post", "fleets/"): ("fleets/", {"name": "x", "version": None}),
    ("get", "fleets/{id}/"): ("fleets/edge/", None),
    ("patch", "fleets/{id}/"): ("fleets/edge/", {"description": "y"}),
    ("post", "fleets/{id}/archive/"): ("fleets/empty/archive/", {}),
    ("get", "fleets/{id}/connection-settings/"): ("fleets/edge/connection-settings/", None),
    ("patch", "fleets/{id}/connection-settings/"): (
        "fleets/edge/connection-settings/",
        {
            "heartbeat_s": 60,
            "own_telemetry": {
                "metrics": {"endpoint": "https://o.example", "headers": {"x-k": "v"}}
            },
        },
    ),
    ("get", "fleets/{id}/deployments/"): ("fleets/edge/deployments/", None),
    ("post", "fleets/{id}/deployments/"): (
        "fleets/edge/deployments/",
        {"platform": "linux_amd64"},
    ),
    ("get", "fleets/{id}/tokens/"): ("fleets/edge/tokens/", None),
    ("post", "fleets/{id}/tokens/"): ("fleets/edge/tokens/", {"name": "x", "expires": "1y"}),
    ("get", "overview/"): ("overview/", None),
    ("get", "system/"): ("system/", None),
    ("get", "people/"): ("people/", None),
    ("post", "people/"): ("people/", {"username": "new", "role": "viewer"}),
    ("get", "people/{id}/"): ("people/{person}/", None),
    ("patch", "people/{id}/"): ("people/{person}/", {"role": "editor"}),
    ("post", "people/{id}/reset/"): ("people/{person}/reset/", {}),
    ("get", "rollouts/"): ("rollouts/?state=running", None),
    ("post", "rollouts/"): (
        "rollouts/",
        {"fleet": "edge", "version": "{first}", "accept_warnings": True},
    ),
    ("get", "rollouts/{id}/"): ("rollouts/{rollout}/", None),
    ("get", "rollouts/{id}/targets/"): ("rollouts/{rollout}/targets/", None),
    ("get", "rollouts/{id}/failures/"): ("rollouts/{rollout}/failures/", None),
    ("post", "rollouts/{id}/exclude/"): ("rollouts/{rollout}/exclude/", {"key": "a", "value": "b"}),
    ("post", "rollouts/{id}/retry/"): ("rollouts/{paused}/retry/", {"all": True}),
    **{
        ("post", f"rollouts/{{id}}/targets/{{uid}}/{what}/"): (f"rollouts/{one}/{what}/", {})
        for what, one in (
            ("retry", "{paused}/targets/{failed}"),
            ("exclude", "{rollout}/targets/{uid}"),
        )
    },
    ("post", "rollouts/{id}/pause/"): ("rollouts/{baking}/pause/", {"reason": "x"}),
    ("post", "rollouts/{id}/resume/"): ("rollouts/{paused}/resume/", {}),
    ("post", "rollouts/{id}/cancel/"): ("rollouts/{paused}/cancel/", {}),
    ("post", "rollouts/{id}/rollback/"): ("rollouts/{baking}/rollback/", {}),
    ("post", "rollouts/{id}/skip-bake/"): ("rollouts/{baking}/skip-bake/", {}),
    **{
        (method, f"{resource}/{rest}"): (f"{resource}/{rest.replace('{id}', f'{{{one}}}')}", body)
        for resource, one, new in (
            ("webhooks", "webhook", {"name": "x", "url": "https://h.example/", "events": EVENTS}),
            ("email-notices", "letter", {"name": "x", "recipients": MAIL, "gone_from": "5%"}),
        )
        for method, rest, body in (
            ("get", "", None),
            ("post", "", new),
            ("get", "{id}/", None),
            ("patch", "{id}/", {"fleets": ["edge"], "hold_seconds": 60}),
            ("delete", "{id}/", None),
            ("get", "{id}/deliveries/", None),
            ("post", "{id}/test/", {}),
            ("post", "{id}/pause/", {"reason": "x"}),
            ("post", "{id}/resume/", {}),
        )
    },
    ("post", "webhooks/{id}/renew-secret/"): ("webhooks/{webhook}/renew-secret/", {}),
    ("get", "tokens/{id}/"): ("tokens/{token}/", None),
    ("post", "tokens/{id}/retire/"): ("tokens/{token}/retire/", {"reason": "x"}),
    ("post", "tokens/{id}/revoke/"): ("tokens/{token}/revoke/", {"reason": "x"}),
    ("post", "tokens/{id}/rotate/"): ("tokens/{token}/rotate/", {"overlap_seconds": 60}),
    ("get", "versions/{id}/"): ("versions/{first}/", None),
    ("get", "versions/{id}/diff/"): ("versions/{second}/diff/?against={first}", None),
    ("post", "versions/{id}/publish/"): (
        "versions/{draft}/publish/",
        {"reason": "x", "accept_warnings": True},
    ),
    ("post", "versions/{id}/copy/"): ("versions/{first}/copy/", {"name": "copied"}),
    ("post", "versions/{id}/restore/"): ("versions/{first}/restore/", {"lock_version": 1}),
    ("post", "validate/"): ("validate/", {"yaml": "receivers:\n  otlp:\n"}),
    ("post", "versions/{id}/archive/"): ("versions/{draft}/archive/", {}),
}
"""Every operation of the schema below /api/v1/ -> the call that proves it, and its body."""
