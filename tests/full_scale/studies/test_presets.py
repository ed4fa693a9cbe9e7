"""Presets: the paper's numbers exactly, epochs as steps, and shortened ones that fit their estimate."""

import pytest

from full_scale.data.dataset import Inputs
from full_scale.model import ModelConfig
from full_scale.objectives.phases import Phase
from full_scale.studies.grids import accounting
from full_scale.studies.presets import PRESETS, h100, preset_named
from full_scale.studies.presets.amos import AMOS
from full_scale.tasks import TASKS
from full_scale.tasks.digits import Digits
from full_scale.training.trial_config import TrialConfig
from sims.runs.store import UserError

# Amos, Berant & Gupta 2024 and its code: layers, width, heads, hidden, pool, head; for each phase learning
# rate, batch, warm-up steps, epochs, weight decay; mask ratio and loss.
EXACT = {
    "amos-listops": (
        (6, 512, 8, 2048, "mean", "linear"),
        (1e-3, 32, 2000, 100, 0), (1e-4, 32, 2000, 100, 0), (0.1, "auto"),
    ),
    "amos-text": (
        (6, 512, 8, 2048, "mean", "mlp"),
        (5e-4, 32, 5000, 32, 0.1), (1e-4, 32, 2000, 65, 0.1), (0.15, "auto"),
    ),
    "amos-retrieval": (
        (4, 128, 4, 512, "mean", "mlp"),
        (5e-3, 32, 2000, 32, 0), (5e-4, 32, 5000, 32, 0), (0.15, "auto"),
    ),
    "amos-image": (
        (3, 64, 4, 128, "max", "mlp"),
        (1e-3, 32, 2500, 50, 0), (1e-3, 50, 2000, 200, 0), (0.5, "l1"),
    ),
    "amos-pathfinder": (
        (4, 128, 8, 128, "mean", "linear"),
        (1e-3, 32, 2500, 50, 0), (5e-4, 32, 5000, 200, 0), (0.5, "ce"),
    ),
    "amos-pathx": (
        (4, 128, 4, 128, "max", "linear"),
        (5e-4, 32, 5000, 200, 0), (5e-4, 32, 5000, 200, 0), (0.5, "ce"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_the_paper_s_presets_have_the_paper_s_numbers(name: str) -> None:
    found = AMOS[name]
    model = found.model
    stages = tuple(
        (s.optimizer.learning_rate, s.batch, s.warmup_steps, s.epochs, s.optimizer.weight_decay)
        for s in (found.pretraining, found.labels)
    )
    shape = (model.layers, model.width, model.heads, model.hidden, model.pool, model.head)
    assert (shape, *stages, (found.masking.ratio, found.masking.loss)) == EXACT[name]
    for stage in (found.pretraining, found.labels):
        assert stage.optimizer.schedule == "constant"
        assert stage.optimizer.betas == (0.9, 0.999)
        assert stage.optimizer.clip is None
    assert (model.copies, model.padding_mask, model.positions) == ("qkvo", False, "sinusoidal")
    assert model.precision == "float32"


def test_epochs_are_steps_of_the_task_s_size_and_warm_up_keeps_its_steps() -> None:
    image = AMOS["amos-image"]
    assert image.pretraining.count(45_000, 1) == round(50 * 45_000 / 32)
    assert image.labels.count(45_000, 1000) == 180_000
    phase = image.labels.phase("labels", 180_000)
    assert round(phase.optimizer.warmup * phase.steps) == 2000
    assert image.labels.phase("labels", 1000).optimizer.warmup == 0.5


@pytest.mark.parametrize("name", AMOS)
def test_the_shortened_presets_fit_their_estimate_and_change_nothing_else(name: str) -> None:
    short, whole = h100.H100[name.replace("amos", "h100-10min")], AMOS[name]
    assert h100.seconds(short, *h100.CANONICAL[name]) <= h100.SECONDS * (1 + 1e-9)
    assert short.model.precision == "bfloat16"
    assert short.labels.epochs / short.pretraining.epochs == pytest.approx(
        whole.labels.epochs / whole.pretraining.epochs
    )
    assert short.labels.optimizer == whole.labels.optimizer


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_names_a_task_and_says_what_it_is(name: str) -> None:
    found = preset_named(name)
    assert found.description
    assert type(found.data()) is TASKS[found.task]


def test_a_mistyped_preset_or_task_is_one_line_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean amos-image"):
        preset_named("amos-imag")
    with pytest.raises(UserError, match="expected a task among"):
        preset_named("cpu").on("imaage")


def cost(model: ModelConfig, inputs: Inputs, phase: Phase) -> accounting.Cost:
    return accounting.cost(TrialConfig(Digits(), model, (phase,), 0, batch=2, every=1), inputs, phase)


def test_flops_are_the_formula_s_by_hand() -> None:
    model, inputs = ModelConfig(2, 8, 2, 16), Inputs(10, 3, symbols=5)
    layer = 8 * 10 * 64 + 4 * 100 * 8 + 4 * 10 * 8 * 16
    labels = cost(model, inputs, Phase("labels", 3))
    assert labels.forward == 6 * (2 * layer + 2 * 8 * 3)
    assert labels.backward == 2 * labels.forward
    hidden = cost(model, inputs, Phase("reconstruction", 3))
    assert hidden.forward == 6 * (2 * layer + 2 * 10 * 8 * 5)
    assert cost(model, inputs, Phase("both", 3)).total == labels.total + hidden.total
    frozen = cost(model, inputs, Phase("labels", 3, freeze=("mlp.1",)))
    assert labels.backward - frozen.backward == 6 * 4 * 10 * 8 * 16
    assert frozen.forward == labels.forward


def test_uniform_attention_and_no_mlp_cost_less_and_pairs_twice() -> None:
    model, inputs = ModelConfig(1, 8, 2, 16), Inputs(10, 3, symbols=5)
    whole = cost(model, inputs, Phase("reconstruction", 3))
    assert cost(model, inputs, Phase("reconstruction", 3, frozen_uniform=True)).forward < whole.forward
    pair = cost(model, Inputs(10, 3, symbols=5, pair=True), Phase("reconstruction", 3))
    assert pair.forward == 2 * whole.forward
    assert accounting.parameters(model, inputs)["embeddings"] == 6 * 8
