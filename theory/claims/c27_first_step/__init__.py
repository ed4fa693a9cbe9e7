"""C27, the first step through encodings that are not centred."""
