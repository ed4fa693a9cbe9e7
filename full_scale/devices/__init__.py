"""Where training runs: devices, hosts and how they share a batch, worker processes, precision."""

__all__ = ["hosts", "mesh", "precision", "workers"]
