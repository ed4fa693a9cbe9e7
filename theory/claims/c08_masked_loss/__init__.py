"""C8, masked loss, closed form."""
