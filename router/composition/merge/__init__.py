"""Merge: subgraphs side by side in, one supergraph out. Rules have already refused what cannot be merged."""

from router.composition.merge.supergraph import merge

__all__ = ["merge"]
