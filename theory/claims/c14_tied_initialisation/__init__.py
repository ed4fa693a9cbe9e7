"""C14, the hidden prior of tied initialisation."""
