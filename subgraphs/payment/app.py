"""The payment subgraph: one payment per order, through a gateway, and letters to the buyer."""

from strawberry.dataloader import DataLoader

from core.jobs import Job
from core.mongo import Row
from core.subgraph import Call, Runtime, Subgraph
from loaders.entity import entity_loader
from subgraphs.payment.documents import DOCUMENTS
from subgraphs.payment.gateways.base import Gateway
from subgraphs.payment.gateways.sandbox import SandboxGateway
from subgraphs.payment.handlers import build_handlers
from subgraphs.payment.refund_repository import RefundRepository
from subgraphs.payment.refunds import Refunds
from subgraphs.payment.repository import PaymentRepository
from subgraphs.payment.schema import build_payment_schema
from subgraphs.payment.service import PaymentService
from subgraphs.payment.types import PaymentContext
from subgraphs.payment.webhooks import build_webhook_route

NAME = "payment"

CHECK_EVERY_S = 5.0
MAIL_EVERY_S = 2.0
REFUND_EVERY_S = 5.0


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

    refund_repository = RefundRepository(runtime.database)
    refunds = Refunds(
        runtime.client,
        runtime.database,
        runtime.clock,
        payments=repository,
        refunds=refund_repository,
        gateway=gateway,
    )

    def make_context(call: Call) -> PaymentContext:
        return PaymentContext(
            call=call,
            service=service,
            refunds=refunds,
            refunds_of=_refunds_loader(refund_repository),
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
            Job("carry_out_refunds", REFUND_EVERY_S, refunds.carry_out_due),
        ),
        routes=(build_webhook_route(f"/webhooks/{gateway.name}", gateway, service),),
        close=gateway.aclose,
    )


def _refunds_loader(repository: RefundRepository) -> DataLoader[str, list[Row]]:
    async def load(payment_ids: list[str]) -> list[list[Row]]:
        # Ids sort by creation
        rows = sorted(await repository.find_refunds(payment_ids), key=lambda row: str(row["_id"]))
        return [[row for row in rows if row["payment_id"] == payment_id] for payment_id in payment_ids]

    return DataLoader(load_fn=load)
