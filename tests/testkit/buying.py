"""Buyers who do not give up, as a program: `python -m tests.testkit.buying URL FILE`.

FILE has a JSON list of `[token, product id, key]`. Each of these buyers puts one piece into the cart and orders it, and
tries again with the same key until the store has answered. A line is printed for each order that was acknowledged:
key and order number.
"""

import http.client
import json
import sys
import time
from pathlib import Path

from tests.testkit.running import PATIENCE_S, POLL_S, Client, Json
from tests.testkit.shop import ADDRESS, CHECKOUT

# Said twice it is the same, unlike adding
SET_QUANTITY = """
mutation($productId: ID!) { setCartQuantity(productId: $productId, quantity: 1) { __typename } }
"""


def insist(client: Client, document: str, field: str, **variables: object) -> Json:
    """Ask until there is an answer, however often the store or its database is away."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            response = client.execute(document, **variables)
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            response = {"errors": [str(error)]}
        if "errors" not in response:
            answer: Json = response["data"][field]
            return answer
        assert time.monotonic() < deadline, response
        time.sleep(POLL_S)


def main(url: str, file: Path) -> None:
    for token, product_id, key in json.loads(file.read_text()):
        client = Client(url, token)
        insist(client, SET_QUANTITY, "setCartQuantity", productId=product_id)
        wanted = {"idempotencyKey": key, "shippingAddress": ADDRESS}
        result = insist(client, CHECKOUT, "checkout", input=wanted)
        print(key, result["order"]["number"] if "order" in result else result, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
