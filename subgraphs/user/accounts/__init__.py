"""What people do with their accounts besides logging in: from registration to erasure."""
