"""Who sees which products."""

from core.identity import Identity
from core.scopes import PRODUCTS_WRITE
from subgraphs.product.model import Product, ProductStatus


def sees_everything(identity: Identity) -> bool:
    """Tell whether *identity* sees products in any state: those who edit them, and the store's services."""
    return identity.is_service or identity.has_scopes(PRODUCTS_WRITE)


def is_visible(product: Product, identity: Identity) -> bool:
    """Tell whether *identity* may look the product up."""
    on_sale = product.status is ProductStatus.ACTIVE and product.deleted_at is None
    return on_sale or sees_everything(identity)


def is_visible_by_reference(product: Product, identity: Identity) -> bool:
    """Tell whether a reference from another subgraph may show the product: old orders show what is gone, too."""
    return product.status is not ProductStatus.DRAFT or sees_everything(identity)
