"""The evidence of four made-up initialisations, for tests of what is concluded from it."""

import numpy as np

from full_scale.diagnosis.initialisation import VerdictInputs

FLOORS = {"constant": 0.5, "bag_of_tokens": 0.5, "linear": 0.52, "pairs": 1.0}


def fits(uniform, pattern, alone, label=0.0, top=0.1, own=0.1, spread=0.01):
    jitter = spread * np.array([-1, 1, 0.5, -0.5])
    return [
        VerdictInputs(
            accuracy_uniform_held_out=uniform + 0.1 * j,
            accuracy_pattern_held_out=pattern + j,
            accuracy_own_held_out=alone + 0.1 * j,
            score_label={"expressible": label + 0.1 * j},
            snr_label={"top": 0.0, "expressible": 0.0},
            snr_reconstruction={"top": top, "expressible": own},
        )
        for j in jitter.tolist()
    ]
