"""What every command shares: flags, names, progress, interrupts. None of it waits for jax."""

__all__ = [
    "command", "cost", "declarations", "flags", "interrupts", "names", "progress", "simulate", "verify",
]  # fmt: skip
