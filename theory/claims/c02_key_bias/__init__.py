"""C2, key-bias law."""
