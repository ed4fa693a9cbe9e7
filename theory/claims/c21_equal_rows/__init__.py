"""C21, equal rows stay equal."""
