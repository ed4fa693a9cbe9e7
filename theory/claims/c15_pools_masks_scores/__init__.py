"""C15, other pools, masks and scores."""
