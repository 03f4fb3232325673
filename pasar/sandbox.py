"""The sandbox payment gateway, as this installation runs it."""

from starlette.applications import Starlette

from core.mongo import Client
from core.settings import Settings
from subgraphs.payment.gateways.sandbox_server import build_sandbox_app


def build_sandbox(settings: Settings, client: Client, *, public_url: str = "") -> Starlette:
    """Return the gateway on a database of its own; it notifies the payment subgraph.

    *public_url* is where browsers find it, if that is not where the payment subgraph does. Whoever mounts it runs its
    lifespan.
    """
    webhooks = (settings.payment_webhook_url or f"{settings.base_url}/webhooks").rstrip("/")
    return build_sandbox_app(
        client[f"{settings.database_prefix}sandbox"],
        server_key=settings.sandbox_server_key.get_secret_value(),
        notify_url=f"{webhooks}/sandbox",
        public_url=public_url or settings.sandbox_gateway_url or f"{settings.base_url}/sandbox",
    )
