"""Loading millions of rows into an embedded mongod that nobody else uses yet.

Three things make it fast: rows are made and encoded by programs of their own, mongod keeps no oplog meanwhile, and
secondary indexes are built once, at the end. None of them is possible in a store that runs; there, rows are written as
any others.
"""
