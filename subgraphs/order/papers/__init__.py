"""Papers of an order: the invoice and the packing slip as PDF, behind links that work for some minutes."""
