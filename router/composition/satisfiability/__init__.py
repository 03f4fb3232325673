"""Satisfiability: can every query that the API schema allows be answered by the subgraphs?

A *place* is somewhere the router can be while it answers: a subgraph and a type in it. From a place it reads fields,
and by a key it *moves* to another place of the same object. The check walks the API schema from its roots and keeps,
for every object it meets, all places it can be at; a field that none of them resolves is an error, shown with a query
that leads to it.
"""

from router.composition.satisfiability.check import check_satisfiability

__all__ = ["check_satisfiability"]
