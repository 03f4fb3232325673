"""The public routes under which gateways notify us. The answer's status tells a gateway whether to send it again."""

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import NotFound, Unavailable
from subgraphs.payment.gateways.base import BadNotification, ForgedNotification, Gateway
from subgraphs.payment.service import PaymentService

log = structlog.get_logger(__name__)

# Notifications have about 1 kB; with refunds a few
MAX_NOTIFICATION_BYTES = 64 * 1024


def build_webhook_route(path: str, gateway: Gateway, service: PaymentService) -> Route:
    """Return the route on which *gateway* notifies us."""

    async def receive(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_NOTIFICATION_BYTES:
                return _answer(413, "the notification is too large")
        try:
            notification = gateway.read_notification(bytes(body), request.headers)
        except ForgedNotification as error:
            log.warning("forged notification", gateway=gateway.name, client=request.client and request.client.host)
            return _answer(403, error.message)
        except BadNotification as error:
            return _answer(400, error.message)
        try:
            await service.receive_notification(notification)
        except NotFound as error:
            return _answer(404, error.message)
        except Unavailable as error:
            log.warning("notification put off", gateway=gateway.name, reason=error.message)
            return _answer(503, "try again later")
        return _answer(200, "ok")

    return Route(path, receive, methods=["POST"])


def _answer(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=status)
