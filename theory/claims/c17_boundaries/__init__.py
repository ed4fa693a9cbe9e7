"""C17, boundaries."""
