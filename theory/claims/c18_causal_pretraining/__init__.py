"""C18, causal pretraining."""
