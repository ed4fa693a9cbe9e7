"""What training minimises: losses of a sequence and of a batch, masking, phases, optimisers."""

__all__ = ["batch_loss", "losses", "masking", "optimizers", "phases"]
