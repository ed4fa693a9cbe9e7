"""The probe for PyTorch models; needs `pip install 'sptlab[pytorch]'`. Exact: PyTorch's own gradients.

A Hugging Face encoder adds its attention mask to the scores: the mask carries the bias, per layer and
head. A model of one's own takes the bias as an argument.   [C1, C2, C9]
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PRNGKeyArray

from theory.probes.angles import source_angles
from theory.probes.gram import MEMORY, Report
from theory.probes.probe import LEADING_DIRECTIONS, Probe, probe_source
from theory.probes.sources import (
    require_bias,
    require_dependence,
    require_finite_loss,
    require_repeatable,
    require_scalar,
    sample_count,
)

if TYPE_CHECKING:
    import torch

TorchLoss = Callable[[Any, Any, Any], Any]
"""loss(bias, model, batch): the mean over a batch, a scalar tensor."""


class TorchGradients:
    """Gradients of a PyTorch loss in a score bias, one sample after another."""

    def __init__(self, loss: TorchLoss, model: "torch.nn.Module", batch: Any, bias: "torch.Tensor") -> None:
        self.loss, self.model = loss, model
        self.batch = dict(batch) if isinstance(batch, Mapping) else batch
        self.point = bias.detach()
        self.bias = as_jax(self.point)
        self.samples = sample_count(self.batch)

    def value(self, bias: "torch.Tensor", sample: int) -> "torch.Tensor":
        """The loss of one sample."""
        return self.loss(bias, self.model, jax.tree.map(lambda leaf: leaf[sample : sample + 1], self.batch))

    def __call__(self, start: int, stop: int) -> Float[Array, "sample *maps query key"]:
        import torch

        rows = []
        for sample in range(start, stop):
            bias = self.point.clone().requires_grad_(True)
            (gradient,) = torch.autograd.grad(self.value(bias, sample), bias)
            rows.append(gradient)
        return as_jax(torch.stack(rows))


def torch_gradients(
    loss: TorchLoss, model: "torch.nn.Module", batch: Any, bias: "torch.Tensor"
) -> TorchGradients:
    """The source of a PyTorch loss's gradients, after its model, loss and bias have been looked at.

    Raises
    ------
    ValueError
        As `theory.probe`; also for a model in training mode, whose dropout would be probed as signal.
    """
    import torch

    require_bias(tuple(bias.shape), str(bias.dtype).removeprefix("torch."))
    if model is not None and model.training:
        raise ValueError(
            "model must be in evaluation mode: got training mode, where dropout is random; call model.eval()"
        )
    source = TorchGradients(loss, model, batch, bias)
    with torch.no_grad():
        value, poisoned = (source.value(at, 0) for at in (bias, torch.full_like(bias, torch.nan)))
    require_scalar(tuple(value.shape))
    require_finite_loss(as_jax(value))
    require_dependence(as_jax(poisoned))
    require_repeatable(*([np.asarray(source(0, 1))] for _ in range(2)))
    return source


def torch_probe(
    loss: TorchLoss,
    model: "torch.nn.Module",
    batch: Any,
    *,
    bias: "torch.Tensor",
    directions: Mapping[str, ArrayLike | Sequence] | None = None,
    leading: int = LEADING_DIRECTIONS,
    key: PRNGKeyArray | None = None,
    memory: int = MEMORY,
    report: Report | None = None,
) -> Probe:
    """`theory.probe` for a PyTorch model: see there for what is returned.   [C1, C2, C9]

    Parameters
    ----------
    loss
        `loss(bias, model, batch)`, a scalar tensor. For a Hugging Face encoder compute it inside
        `with score_bias(model, bias):`, its own forward pass unchanged.
    model
        In evaluation mode; `model.double()` for ranks.
    batch
        A tensor, or dicts, lists, tuples of tensors with the samples in front.
    bias
        Where to differentiate, a float64 or float32 tensor (..., L, L); see `encoder_bias`.

    Raises
    ------
    ValueError
        As `theory.probe`; also for a model in training mode.
    """
    source = torch_gradients(loss, model, batch, bias)
    return probe_source(source, directions=directions, leading=leading, key=key, memory=memory, report=report)


def torch_principal_angles(
    first: tuple[TorchLoss, "torch.nn.Module", Any],
    second: tuple[TorchLoss, "torch.nn.Module", Any],
    *,
    bias: "torch.Tensor",
    memory: int = MEMORY,
    report: Report | None = None,
) -> list[Float[np.ndarray, " angle"]]:
    """`theory.principal_angles` between two (loss, model, batch) of PyTorch.   [C9]

    Raises
    ------
    ValueError
        As `torch_probe`.
    """
    sources = torch_gradients(*first, bias), torch_gradients(*second, bias)
    return source_angles(*sources, memory=memory, report=report)


def attention_layers(model: "torch.nn.Module") -> list["torch.nn.Module"]:
    """The innermost modules that take an `attention_mask` and hold queries and keys, in order.

    Raises
    ------
    ValueError
        If there is none.
    """
    takes = lambda module: "attention_mask" in inspect.signature(module.forward).parameters
    named = [module for module in model.modules() if "Attention" in type(module).__name__ and takes(module)]
    inner = [
        module
        for module in named
        if not any(other is not module and other in set(module.modules()) for other in named)
    ]
    if not inner:
        raise ValueError(
            f"no attention layer of {type(model).__name__} takes an attention_mask; "
            f"pass a loss that adds its bias to the scores itself"
        )
    return inner


def encoder_bias(model: "torch.nn.Module", length: int) -> "torch.Tensor":
    """Zeros of shape (layers, heads, L, L), of the model's dtype and on its device."""
    import torch

    weight = next(model.parameters())
    heads = model.config.num_attention_heads
    shape = (len(attention_layers(model)), heads, length, length)
    return torch.zeros(shape, dtype=weight.dtype, device=weight.device)


@contextlib.contextmanager
def score_bias(model: "torch.nn.Module", bias: "torch.Tensor") -> Iterator[None]:
    """Inside, bias[layer] (heads, L, L) is added to every attention layer's additive mask.

    Works with the attention implementations "eager" and "sdpa"; others ignore the mask, which the probe
    reports.

    Raises
    ------
    ValueError
        If `bias` has another number of layers than the model.
    """
    layers = attention_layers(model)
    if len(bias) != len(layers):
        raise ValueError(f"bias must have one entry per attention layer: got {len(bias)} for {len(layers)}")
    handles = [
        layer.register_forward_pre_hook(adding(part[None], layer), with_kwargs=True)
        for layer, part in zip(layers, bias, strict=True)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def adding(bias: "torch.Tensor", layer: "torch.nn.Module") -> Callable:
    """A hook that adds the bias to the layer's attention mask, wherever its caller puts it."""
    index = list(inspect.signature(layer.forward).parameters).index("attention_mask")

    def hook(_: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        if index < len(args):
            return (*args[:index], joined(args[index], bias), *args[index + 1 :]), kwargs
        return args, {**kwargs, "attention_mask": joined(kwargs.get("attention_mask"), bias)}

    return hook


def joined(mask: "torch.Tensor | None", bias: "torch.Tensor") -> "torch.Tensor":
    """The bias on top of an additive mask, under a boolean one, or alone."""
    import torch

    if mask is None:
        return bias
    if mask.dtype == torch.bool:
        return bias.masked_fill(~mask, torch.finfo(bias.dtype).min)
    return mask + bias


def as_jax(tensor: "torch.Tensor") -> Float[Array, "..."]:
    """The tensor's numbers as a JAX array."""
    return jnp.asarray(tensor.detach().cpu().numpy())
