"""C12, reduced flow."""
