"""An application that is known later than its address: two servers can be told each other's."""

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send


class LateApp:
    """Passes requests on to *app*, which is set after the server listens. Its lifespan is the test's business."""

    app: Starlette

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        assert (await receive())["type"] == "lifespan.startup"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
