"""The commands `train`, `study`, `data` and `compare`. None of them waits for jax to explain itself."""
