"""C29, open ends."""
