"""What a measurement asks of our server: by its API, and by looking into its database."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from benchmarks.scale.database import number
from benchmarks.scale.servers import Telflo

WITHIN_S: Final = 180.0
LOOK_S: Final = 0.005


def seen(telflo: Telflo, statement: str, least: int) -> float:
    """When the database answers so much (Unix time). Raises TimeoutError."""
    eye, end = telflo.installation.look(), time.monotonic() + WITHIN_S
    try:
        while (answer := number(eye, statement)) < least:
            if time.monotonic() > end:
                raise TimeoutError(f"{statement}: {answer} of {least}")
            time.sleep(LOOK_S if least == 1 else 20 * LOOK_S)
        return time.time()
    finally:
        eye.close()


def rows(telflo: Telflo, statement: str) -> Sequence[Sequence[Any]]:
    """What a SELECT answers."""
    eye = telflo.installation.look()
    try:
        return eye.execute(statement).fetchall()
    finally:
        eye.close()


def start_rollout(telflo: Telflo, index: int, plan: Mapping[str, Any] | None = None) -> str:
    """Of a prepared version to the fleet, all at once unless there is a plan; answers its id."""
    known, api = telflo.installation.known, telflo.api()
    version = known["versions"][index]
    body = {"fleet": known["fleet"], "version": version, "accept_warnings": True}
    try:
        return str(api.post("/rollouts/", body | ({"plan": plan} if plan else {}))["id"])
    finally:
        api.close()


def cancel_rollout(telflo: Telflo, rollout: str) -> None:
    """End it: those that moved stay on its version."""
    api = telflo.api()
    try:
        api.post(f"/rollouts/{rollout}/cancel/", {"reason": "enough have it"})
    finally:
        api.close()


def open_slow_page(telflo: Telflo) -> None:
    """The page whose query takes two seconds."""
    httpx.get(f"{telflo.base_url}/benchmark/slow/", timeout=30).raise_for_status()
