"""C10, proximity law."""
