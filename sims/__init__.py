"""Simulations in CPU minutes that test the theory's claims, and the storage of every result."""
