"""C19, adiabatic blindness."""
