"""C3, circulant invisibility."""
