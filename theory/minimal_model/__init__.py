"""The one-layer model: attention, pools, and families of scores that are not free."""

__all__ = ["attention", "pools", "score_families", "shapes"]
