"""Stock: what is there, what is promised to whom, and every change of it."""
