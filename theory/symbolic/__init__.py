"""Computer algebra: sums over positions, derivations step by step, and how they are printed."""

__all__ = ["derivation", "document", "index_sums", "notation", "printers", "prose", "record", "rendering"]
