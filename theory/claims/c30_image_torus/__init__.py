"""C30, images as a torus."""
