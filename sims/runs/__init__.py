"""What every run needs: results on disk, where they came from, what is cached, random keys, errors."""

__all__ = [
    "cache", "closure", "compilation_cache", "config_validation", "errors", "keys", "provenance", "store",
    "validity", "verification",
]  # fmt: skip
