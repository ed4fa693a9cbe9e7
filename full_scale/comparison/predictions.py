"""What is predicted of each named quantity: a range, the same for every run and task but the controls."""

import dataclasses
from collections.abc import Mapping

INFINITY = float("inf")
CONTROL = {"digits": (0.0, -0.05, 0.05)}
"""Labels reach nearly everything there at uniform attention [C19]: a tie is predicted."""

_AWAY = dict.fromkeys(("shuffle-runs", "run-density"), ("below 1", 0.0, 1.0))
"""Equal counts: sum_{r != 0} C(r) = -C(0) < 0, so values turn negative first and attention leaves tokens
that agree, here the neighbours [C24]."""


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One named quantity."""

    name: str
    meaning: str
    value: float | str
    """The number predicted, or words where only a range is."""
    low: float
    high: float
    source: str
    """Claims behind it."""
    toy: tuple[str, ...] = ()
    """Result name and keys of the toy's interval."""
    probe: tuple[str, str] | None = None
    """State and measure of a Transformer's probes."""
    per_head: str | None = None
    """The same measure by layer and head."""
    share: str | None = None
    """Key among the shares of a grid of arms."""
    curve: str | None = None
    """Curve of the CPU study, by seed, whose last point is the measurement."""
    note: str = ""
    controls: Mapping[str, tuple[float | str, float, float]] = dataclasses.field(default_factory=dict)
    """By task: value, low and high where they differ."""

    def on(self, task: str) -> "Prediction":
        """The prediction for a task; where it differs, the toy is none of that task's."""
        if task not in self.controls:
            return self
        value, low, high = self.controls[task]
        return dataclasses.replace(self, value=value, low=low, high=high, toy=())


PREDICTIONS = (
    Prediction(
        "visible_share",
        "key-bias share of the label gradient's energy near uniform attention",
        1.0, 0.8, 1.0, "C1, C2",
        ("blindness", "toy", "visible_share"),
        ("initialisation", "visible_share_label"),
        "visible_share_label",
        note="an isotropic direction would have 1/L; residual and MLP let labels see more (C6)",
    ),
    Prediction(
        "visible_share_reconstruction",
        "the same share of the reconstruction gradient, averaged over sequences",
        0.0, 0.0, 0.2, "C9",
        ("blindness", "toy", "visible_share_reconstruction"),
        ("adiabatic", "visible_share_reconstruction"),
        note="C9 is for a ring; text windows have ends and positions",
    ),
    Prediction(
        "proximity_alignment",
        "cosine of minus the reconstruction gradient with the data's law, by distance",
        1.0, 0.8, 1.0, "C10, C11",
        ("blindness", "toy", "proximity_alignment"),
        ("adiabatic", "proximity_alignment_reconstruction"),
        note="the law of letters is that of vectors: tr(V^T Sigma(r)) with V = sum of Sigma(s)",
    ),
    Prediction(
        "proximity_alignment_scalar",
        "the same with the plain autocovariance of the layer's input",
        1.0, 0.8, 1.0, "C10",
        ("blindness", "toy", "proximity_alignment"),
        ("adiabatic", "proximity_alignment_scalar_reconstruction"),
        note="holds for scalar tokens; equal letters avoid each other in English: its sign is wrong there",
    ),
    Prediction(
        "proximity_alignment_label",
        "cosine of minus the label gradient with the law",
        0.0, -0.5, 0.5, "C2, C19",
        ("blindness", "toy", "proximity_alignment_label"),
        ("adiabatic", "proximity_alignment_label"),
    ),
    Prediction(
        "snr_reconstruction",
        "SNR per sequence of the reconstruction gradient along lag 1, everything else fitted",
        "above 0.1", 0.1, INFINITY, "C16, C19",
        ("adiabatic_toy", "toy", "snr_reconstruction"),
        ("adiabatic", "snr_reconstruction"),
        "snr_reconstruction",
    ),
    Prediction(
        "snr_label",
        "the same for labels",
        0.0, -INFINITY, 0.1, "C16, C19",
        ("adiabatic_toy", "toy", "snr_label"),
        ("adiabatic", "snr_label"),
        "snr_label",
    ),
    Prediction(
        "snr_ratio",
        "SNR of reconstruction over SNR of labels along lag 1, everything else fitted",
        "above 1", 1.0, INFINITY, "C7, C16, C19",
        ("adiabatic_toy", "toy", "snr_ratio"),
        ("adiabatic", "snr_ratio"),
        note="no upper end where the label's SNR is compatible with 0",
    ),
    Prediction(
        "plateau_time",
        "measured over predicted length of the label loss's plateau",
        1.0, 0.5, 2.0, "C20",
        ("plateau", "plateau_time"),
        note="the toy trains by gradient descent; Adam has no such time, and from docs-order's saddle "
        "gradient descent needs, by C20, more steps than a run can have: no Transformer is compared",
    ),
    Prediction(
        "proximity_index",
        "attention within a window of 2, over uniform attention, after SPT",
        "above 1.5", 1.5, INFINITY, "C10, C12, C13, C24",
        ("reduced_flow", "toy", "proximity_index"),
        ("trained_spt", "proximity_index"),
        "proximity_index",
        curve="spt_proximity_index",
        note="below 1 where the sum of C(r) over r != 0 is below 0 (C24): shuffle-runs, equal counts",
        controls=_AWAY,
    ),
    Prediction(
        "proximity_index_label",
        "the same after label-only training",
        1.0, 0.75, 1.25, "C2, C5",
        ("reduced_flow", "toy", "proximity_index_label"),
        ("trained_label_only", "proximity_index"),
        "proximity_index",
        curve="label_only_proximity_index",
        note="flat only while labels stay on their plateau",
    ),
    Prediction(
        "qk_share",
        "gain in test accuracy kept when only query-key maps and positions are transferred, over SPT's gain",
        1.0, 0.8, 1.2, "C13, C19",
        share="qk_share",
    ),
    Prediction(
        "prior_share",
        "gain of a proximity prior without pretraining, over SPT's gain",
        1.0, 0.8, 1.2, "C14, C15",
        share="prior_share",
        note="the priors differ; each is a row",
    ),
    Prediction(
        "depth_share",
        "gain of more layers without pretraining, over SPT's gain",
        "below 0.5", -INFINITY, 0.5, "C19",
        share="depth_share",
    ),
    Prediction(
        "fit_gap",
        "training accuracy of SPT minus that of labels alone",
        "above 0.1", 0.1, 1.0, "C19",
        share="fit_gap",
        note="the gap is one of optimisation, not of generalisation",
        controls=CONTROL,
    ),
    Prediction(
        "gain",
        "test accuracy of SPT minus that of labels alone",
        "above 0.1", 0.1, 1.0, "C19",
        share="gain",
        note="on digits, the control, labels need no attention: nothing to add",
        controls=CONTROL,
    ),
)  # fmt: skip
