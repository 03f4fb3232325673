"""Real order histories from files."""
