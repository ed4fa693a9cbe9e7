"""The arms of a grid: what each does with pretraining, with its parts, or with the model instead."""

import dataclasses

from full_scale.model import PARTS

ALL = ("all",)
HEADS = ("head", "token_head")  # never transferred by themselves
_POSITIONED = ("positions", "qk")  # what the comparison's qk_share transfers


@dataclasses.dataclass(frozen=True)
class Variant:
    """One arm. Without pretraining its label phase takes all steps."""

    name: str
    pretrained: bool = False
    """Whether the arm is pretrained before it sees labels."""
    both: bool = False
    """Labels and reconstruction at once, in one phase."""
    reset: tuple[str, ...] = ()
    """Parts drawn anew before labels."""
    freeze: tuple[str, ...] = ()
    """Parts that labels do not train."""
    changes: tuple[tuple[str, object], ...] = ()
    """Settings of the model that differ from the preset's."""
    started: bool = False
    """Whether it begins with another run's model; its labels then take all steps."""
    longer: bool = False
    """After pretraining, labels take as many steps as labels alone do: time for what is drawn anew."""
    rounds: int = 1
    """Without pretraining: how often labels take the steps of the other arms."""
    weight_decay: float | None = None
    """Of the label phase, where it is not the preset's."""


def rest(parts: tuple[str, ...]) -> tuple[str, ...]:
    """All parts of the model but these."""
    return tuple(part for part in PARTS if part not in parts)


LABEL_ONLY = Variant("label_only")
SPT = Variant("spt", pretrained=True)
STARTED = Variant("started", started=True)
SPT_LONGER = Variant("spt_longer", pretrained=True, longer=True)
QK_ONLY = Variant("qk_only", pretrained=True, reset=rest(_POSITIONED))
QK_ONLY_LONGER = Variant("qk_only_longer", pretrained=True, reset=rest(_POSITIONED), longer=True)
_QK_EMBEDDINGS_ONLY = Variant("qk_embeddings_only", pretrained=True, reset=rest((*_POSITIONED, "embeddings")))
NO_QK = Variant("no_qk", pretrained=True, reset=_POSITIONED)
SCORES = (QK_ONLY, QK_ONLY_LONGER, _QK_EMBEDDINGS_ONLY, NO_QK)


def _single_parts() -> tuple[Variant, ...]:
    """Each other part transferred alone, and all but it."""
    parts = [part for part in PARTS if part not in (*HEADS, *_POSITIONED)]
    alone = (Variant(f"{part}_only", pretrained=True, reset=rest((part,))) for part in parts)
    return (*alone, *(Variant(f"no_{part}", pretrained=True, reset=(part,)) for part in parts))


def _layers_of(layers: int) -> tuple[Variant, ...]:
    """The scores of each layer transferred alone, everything else drawn anew."""
    if layers == 1:
        return ()
    others = lambda layer: tuple(f"qk.{other}" for other in range(layers) if other != layer)
    return tuple(
        Variant(f"qk_layer_{layer}_only", pretrained=True, reset=(*rest(_POSITIONED), *others(layer)))
        for layer in range(layers)
    )


BOTH = Variant("both", both=True)
TWICE = Variant("label_only_twice", rounds=2)
DECAYED = Variant("label_only_decayed", weight_decay=0.1)
MIMETIC = Variant("mimetic", changes=(("copies", "mimetic"),))
FROZEN = (
    Variant("qk_only_frozen", pretrained=True, reset=rest(_POSITIONED), freeze=_POSITIONED),
    Variant("spt_frozen", pretrained=True, freeze=rest(HEADS)),
    Variant("label_only_qk_frozen", freeze=_POSITIONED),
)
PRIORS = (
    Variant("alibi", changes=(("positions", "alibi"),)),
    Variant("rope", changes=(("positions", "rope"),)),
    Variant("tied_qk", changes=(("copies", "qk"),)),
    Variant("tied_qkvo", changes=(("copies", "qkvo"),)),
)


def depths(layers: tuple[int, ...]) -> tuple[Variant, ...]:
    """Labels alone at other depths."""
    return tuple(Variant(f"depth_{depth}", changes=(("layers", depth),)) for depth in layers)


def grid(name: str, layers: int, depth: tuple[int, ...]) -> tuple[Variant, ...]:
    """The arms of a grid by name; every grid has labels alone and SPT, against which shares are taken."""
    basis, other = (LABEL_ONLY, SPT), depths(tuple(d for d in depth if d != layers))
    grids = {
        "arms": (*basis, BOTH),
        "transfer": (*basis, *SCORES, *_single_parts(), *_layers_of(layers), *FROZEN),
        "priors": (*basis, *PRIORS),
        "depth": (*basis, *other),
        "core": (*basis, *SCORES, *PRIORS, *other),
    }
    grids["all"] = tuple(dict.fromkeys(variant for variants in grids.values() for variant in variants))
    return grids[name]
