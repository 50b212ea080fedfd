"""The ASGI application: pages and API (Django), agents (/v1/opamp), open pages (/ws/live/)."""

import os
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

from telflo.base.observed import Observed

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telflo.settings")
# WhiteNoise warns about a folder that is not there; without collectstatic it is empty.
settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Django warns that WhiteNoise answers with plain files under ASGI; they are small, and nothing is wrong.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
observed = Observed(get_asgi_application())

# Models must be ready before these are imported.
from opamp.consumers import OpampConsumer, refuse  # noqa: E402
from opamp.door import TextAnswer  # noqa: E402
from opamp.gateway import Gateway  # noqa: E402
from opamp.post import OpampPost  # noqa: E402
from telflo.live import LiveConsumer  # noqa: E402
from telflo.serve.gateway import make_gateway  # noqa: E402

Application = Callable[..., Awaitable[None]]
Scope = Mapping[str, Any]

OPAMP_PATHS: Final = ("/v1/opamp", "/v1/opamp/")
LIVE_PATH: Final = "/ws/live/"
NO_SUCH_SOCKET: Final = TextAnswer(
    404, "There is no WebSocket here. Collectors connect to /v1/opamp."
)


class ByPath:
    """Sends a scope to the application of its path, else to `otherwise`."""

    def __init__(self, paths: Mapping[str, Application], otherwise: Application) -> None:
        self._paths = paths
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Hand the scope on."""
        await self._paths.get(scope["path"], self._otherwise)(scope, receive, send)


class Lifespan:
    """The server's start and stop. The gateway starts by itself; here it is stopped in order."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, _scope: Scope, receive: Any, send: Any) -> None:
        """Answer startup and shutdown."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._gateway.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def no_such_socket(scope: Scope, receive: Any, send: Any) -> None:
    """Refuse a WebSocket on a path that has none: a bare 403 would look like a wrong token."""
    await receive()
    await refuse(scope, send, NO_SUCH_SOCKET)


def make_application(gateway: Gateway, http: Application) -> Application:
    """Everything that a server serves, around `http` (Django)."""
    live = AllowedHostsOriginValidator(AuthMiddlewareStack(LiveConsumer.as_asgi()))
    # T10: no Origin check before the agents' endpoint.
    sockets: dict[str, Application] = dict.fromkeys(OPAMP_PATHS, OpampConsumer(gateway))
    router: Application = ProtocolTypeRouter(
        {
            "http": ByPath(dict.fromkeys(OPAMP_PATHS, OpampPost(gateway)), http),
            "websocket": ByPath({**sockets, LIVE_PATH: live}, no_such_socket),
            "lifespan": Lifespan(gateway),
        }
    )
    return router


gateway = make_gateway()
application = make_application(gateway, observed)
