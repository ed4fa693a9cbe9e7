"""C16, sample complexity."""
