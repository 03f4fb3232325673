"""The contract of the graph: scalars, money, pagination and problems that all subgraphs share."""
