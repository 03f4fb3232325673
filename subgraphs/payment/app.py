"""The payment subgraph: one payment per order, through a gateway, and letters to the buyer."""

from core.jobs import Job
from core.subgraph import Call, Runtime, Subgraph
from loaders.entity import entity_loader
from subgraphs.payment.documents import DOCUMENTS
from subgraphs.payment.gateways.base import Gateway
from subgraphs.payment.gateways.sandbox import SandboxGateway
from subgraphs.payment.handlers import build_handlers
from subgraphs.payment.repository import PaymentRepository
from subgraphs.payment.schema import build_payment_schema
from subgraphs.payment.service import PaymentService
from subgraphs.payment.types import PaymentContext
from subgraphs.payment.webhooks import build_webhook_route

NAME = "payment"

CHECK_EVERY_S = 5.0
MAIL_EVERY_S = 2.0


def build(runtime: Runtime, *, gateway: Gateway | None = None) -> Subgraph:
    """Return the subgraph on *runtime*, with the sandbox gateway of its settings unless one is given."""
    settings = runtime.settings
    if gateway is None:
        gateway = SandboxGateway(
            settings.sandbox_gateway_url or f"{settings.base_url}/sandbox",
            server_key=settings.sandbox_server_key.get_secret_value(),
        )
    repository = PaymentRepository(runtime.database)
    service = PaymentService(
        runtime.client,
        runtime.database,
        runtime.clock,
        repository=repository,
        gateway=gateway,
        mailer=runtime.mailer,
    )

    def make_context(call: Call) -> PaymentContext:
        return PaymentContext(
            call=call,
            service=service,
            payments_by_id=entity_loader(lambda ids: repository.find_payments("_id", ids), lambda row: str(row["_id"])),
            payments_by_order=entity_loader(
                lambda ids: repository.find_payments("order_id", ids), lambda row: str(row["order_id"])
            ),
        )

    return Subgraph(
        name=NAME,
        schema=build_payment_schema(),
        runtime=runtime,
        documents=DOCUMENTS,
        context=make_context,
        handlers=build_handlers(repository, runtime.clock),
        jobs=(
            Job("check_payments", CHECK_EVERY_S, service.check_open_payments),
            Job("send_mails", MAIL_EVERY_S, service.send_mails),
        ),
        routes=(build_webhook_route(f"/webhooks/{gateway.name}", gateway, service),),
        close=gateway.aclose,
    )
