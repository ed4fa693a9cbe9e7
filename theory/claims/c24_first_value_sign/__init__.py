"""C24, the first value decides."""
