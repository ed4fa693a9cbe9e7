"""C11, values first."""
