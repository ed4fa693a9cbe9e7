"""C22, weight decay forgets."""
