"""What every command shares: flags, names, progress, interrupts. None of it waits for jax."""
