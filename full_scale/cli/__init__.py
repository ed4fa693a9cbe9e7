"""The commands `train`, `study`, `data`, `compare` and `export`. None of them waits for jax to explain itself."""

__all__ = ["compare", "data", "data_catalogue", "export", "making", "study", "train"]
