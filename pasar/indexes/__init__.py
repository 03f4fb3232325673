"""The indexes of the databases: which there are to be, why, and whether they are there."""
