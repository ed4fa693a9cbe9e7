"""What label training and weight decay leave of a pretrained kernel.   [C22]"""

from collections.abc import Mapping

from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import estimate
from sims.experiments.forgetting import Values
from sims.runs.store import Result

NEEDS = ("forgetting",)
SHOWS = ("C22",)
ARMS = (("free", "free scores"), ("product", "queries × keys"), ("seen", "control: labels see it"))
LOOKS = style.LEVELS


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """A column per arm; a curve per decay."""
    arrays = need(results, "forgetting", by="figure forgetting").arrays
    figure, axes = style.panels(1, 3, width=style.FULL_WIDTH, height=2.5, sharey=True)
    for column, (arm, title) in enumerate(ARMS):
        panel = axes[0, column]
        for index, decay in enumerate(arrays["decays"]):
            look, label = LOOKS[index % len(LOOKS)], f"decay {decay:g}"
            part = lambda array, row=index: array[row]
            verdict_captions.curve(panel, arrays["steps"], arrays, f"kept_{arm}", look, label, part=part)
        panel.plot([], [], label=r"theory, $(1-\eta\lambda)^{nt}$", **style.THEORY.line(markers=False))
        style.letter(panel, "abc"[column], title)
        panel.set_xlabel("steps of label training")
    axes[0, 0].set_ylabel("share of the kernel kept")
    axes[0, 0].set_ylim(0, 1.12)
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the fitted powers and what the loss notices."""
    result = need(results, "forgetting", by="figure forgetting")
    values = Values.from_json(result.values)
    strongest = {arm: fits[-1] for arm, fits in values.fitted_n.items()}
    exponents = verdict_captions.exponents(strongest, dict(ARMS[:2]), digits=5)
    claimed = {name: each for name, each in values.inside.items() if name != "kept_seen"}
    changes, control = values.loss_without_the_kernel_minus_with, values.inside["kept_seen"]
    return (
        "Label fine-tuning forgets. Projection on itself of a pretrained proximity kernel while labels train "
        "scores, values and head, with decoupled weight decay; without decay it is the effect of fine-tuning "
        f"alone. {verdict_captions.sentence(claimed)} For queries × keys the law is first order in a batch's "
        f"noise. Fitted powers n: {exponents}. Without the kernel the label loss changes by "
        f"{estimate(changes['free'][0])} nats. In the control, where labels see the kernel, the law fails as "
        f"it should: {round(100 * control.inside)}% of the points lie inside, and losing it costs "
        f"{estimate(changes['seen'][0])} nats. Bands: 99% over {control.seeds} seeds."
    )
