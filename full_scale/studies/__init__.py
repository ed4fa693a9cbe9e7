"""What is compared with what: arms, grids, presets, sweeps and the studies that are stored."""
