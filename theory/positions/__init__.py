"""Absolute positions as scores, and the scores that attention starts with."""

__all__ = ["absolute_positions", "tied_initialisation"]
