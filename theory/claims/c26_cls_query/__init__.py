"""C26, a CLS query."""
