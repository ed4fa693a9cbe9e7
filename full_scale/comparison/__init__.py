"""Each named quantity of theory.md: what is predicted, where it is measured, whether it holds."""
