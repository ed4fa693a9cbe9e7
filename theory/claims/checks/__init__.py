"""What a check of a claim is, and the settings, populations and tolerances that checks share."""

__all__ = [
    "check",
    "draws",
    "exponents",
    "feature_maps",
    "populations",
    "programs",
    "tolerances",
    "vector_rings",
]
