"""Outcomes of the catalogue's mutations: the shared problems are enough."""

from typing import Annotated, TypeAlias

import strawberry

from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from subgraphs.product.types import CategoryType, PriceListType, ProductType

CreateCategoryResult: TypeAlias = Annotated[
    CategoryType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("CreateCategoryResult", description="The category, or why it was not added."),
]
CreateProductResult: TypeAlias = Annotated[
    ProductType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("CreateProductResult", description="The draft, or why it was not added."),
]
EditProductResult: TypeAlias = Annotated[
    ProductType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("EditProductResult", description="The product as it is now, or why it was not changed."),
]
PublishProductResult: TypeAlias = Annotated[
    ProductType | NotFoundProblem | ConflictProblem,
    strawberry.union("PublishProductResult", description="The product on sale, or why it is not."),
]
ArchiveProductResult: TypeAlias = Annotated[
    ProductType | NotFoundProblem | ConflictProblem,
    strawberry.union("ArchiveProductResult", description="The archived product, or why it was not archived."),
]
EditCategoryResult: TypeAlias = Annotated[
    CategoryType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("EditCategoryResult", description="The category as it is now, or why it was not changed."),
]
MoveCategoryResult: TypeAlias = Annotated[
    CategoryType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("MoveCategoryResult", description="The category as it is now, or why it was not moved."),
]
SetCategoryAttributesResult: TypeAlias = Annotated[
    CategoryType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union(
        "SetCategoryAttributesResult", description="The category as it is now, or why it was not changed."
    ),
]
CreatePriceListResult: TypeAlias = Annotated[
    PriceListType | InvalidInputProblem | ConflictProblem,
    strawberry.union("CreatePriceListResult", description="The price list, or why it was not added."),
]
SetListPricesResult: TypeAlias = Annotated[
    PriceListType | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("SetListPricesResult", description="The price list, or why no price was changed."),
]
EndPriceListResult: TypeAlias = Annotated[
    PriceListType | InvalidInputProblem | NotFoundProblem,
    strawberry.union("EndPriceListResult", description="The price list as it is now, or why it is as before."),
]
