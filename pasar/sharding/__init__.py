"""Distributing the orders over the shards of a cluster: keys, commands, and a model of what they would do."""
