"""What masked and causal reconstruction say to attention scores, and the data laws they read."""

__all__ = ["causal", "circulant", "markov", "masked_loss", "masking", "vector_tokens"]
