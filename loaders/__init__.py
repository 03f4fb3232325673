"""Dataloaders: one query per batch inside a subgraph, one request per batch between subgraphs."""
