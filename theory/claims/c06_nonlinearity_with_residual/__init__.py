"""C6, residual and nonlinearity together open the eye."""
