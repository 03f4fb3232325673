"""A Federation 2 router: composes subgraphs, plans operations over them, and serves the graph they form."""
