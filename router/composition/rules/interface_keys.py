"""A key on an interface must be a resolvable key of each of its implementations."""

from router.composition.annotations import Annotations
from router.composition.report import Report
from router.composition.subgraph import InterfaceType, Subgraph


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report implementations that lack a key of their interface."""
    for name, keys in annotations.keys.items():
        if not isinstance(subgraph.types[name], InterfaceType):
            continue
        for implementation in sorted(annotations.implementations.get(name, ())):
            # Of several copies of a key the first one counts, as in the reference.
            own = {key.selections: key for key in reversed(annotations.keys.get(implementation, ()))}
            for key in keys:
                match = own.get(key.selections)
                if match is None or (key.resolvable and not match.resolvable):
                    what = "lacks it" if match is None else "cannot resolve it"
                    report.error(
                        "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
                        f"[{subgraph.name}] The interface {name} has the key {key.text!r}, but {implementation}"
                        f" {what}.",
                        subgraph.types[implementation].at,
                        key.at,
                    )
