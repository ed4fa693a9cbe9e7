"""C13, absolute positions become relative scores."""
