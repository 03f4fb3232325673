"""What the user subgraph does when others announce something: it keeps the audit log, and has the addresses."""

from collections.abc import Mapping

from core.audit import PRIVILEGED_ACTION
from core.events import EventHandler
from subgraphs.user.service import UserService


def build_handlers(service: UserService) -> Mapping[str, EventHandler]:
    """Return the reactions to the events of other subgraphs."""
    return {PRIVILEGED_ACTION: service.append_privileged, "BackInStock": service.write_back_in_stock}
