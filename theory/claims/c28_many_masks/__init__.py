"""C28, proximity under many masks."""
