"""C20, escape from the plateau."""
