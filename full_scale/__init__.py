"""Real Transformers on real tasks: trained by labels, by self-pretraining, and probed in their scores."""
