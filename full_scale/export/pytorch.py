"""The encoder in PyTorch: `load(FOLDER)` is the model that `sptlab export` wrote, its outputs equal to 1e-5.

Needs torch and safetensors (the extra `pytorch`) and nothing of sptlab: the file can be copied. A reference, in
float32 and with explicit scores; parameters have the names of the file. Tokens are (batch, length) symbols, raw
intensities or values, (batch, length, channel) values, or (batch, 2, length) of pairs; lengths (batch,) or
(batch, 2) count a sequence's tokens without padding, None: all are full.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

FORMAT = "sptlab encoder 1"
KNOWN: dict[str, tuple[Any, ...]] = {
    "positions": ("sinusoidal", "learned", "random-normal", "rope", "alibi", "none"),
    "pool": ("mean", "cls", "max", "last", "attention"),
    "head": ("linear", "mlp"),
    "intensities": ("levels", "values"),
    "residual": (True, False),
    "norm": (True, False),
    "mlp": (True, False),
    "padding_mask": (True, False),
    "causal": (True, False),
    "precision": ("float32",),
    "copies": ("independent", "qk", "qkvo", "mimetic"),
    "attention": ("auto", "explicit"),
}
"""What is computed here, by setting; `copies` and `attention` (how weights begin, which kernel) change no output."""
SIZES = ("layers", "width", "heads", "hidden")
_BASE, _STEEPEST = 10_000.0, 8.0


def load(folder: str | Path, precision: str | None = None) -> "Encoder":
    """The model in a folder that `sptlab export` wrote, in evaluation mode.

    Raises
    ------
    ValueError
        For a setting that this module does not compute, by name; bfloat16 only with `precision="float32"`.
    """
    content = json.loads((Path(folder) / "config.json").read_text())
    if content.get("format") != FORMAT:
        raise ValueError(
            f"expected a config of format {FORMAT}: got {content.get('format')}; export it again"
        )
    config = content["model"] | ({} if precision is None else {"precision": precision})
    model = Encoder(config, content["inputs"])
    model.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    return model.eval()


def require_known(config: dict[str, Any]) -> None:
    """Raise ValueError for a setting, or a kind of one, that is not computed here."""
    if config.get("precision") == "bfloat16":
        raise ValueError(
            "expected precision float32: got bfloat16, which rounds elsewhere differently; "
            'load(FOLDER, precision="float32") computes in float32'
        )
    for name, value in config.items():
        if name not in SIZES and value not in KNOWN.get(name, ()):
            known = ", ".join(map(str, KNOWN.get(name, ()))) or "no such setting"
            raise ValueError(f"expected {name} among {known}: got {value}; use the model in sptlab")


class Attention(nn.Module):
    """softmax(Q K^T / sqrt(d_head) + positions) V, heads side by side, and W_O."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = config
        self.query, self.key, self.value, self.output = (
            nn.Linear(config["width"], config["width"]) for _ in range(4)
        )

    def forward(self, states: Tensor, allowed: Tensor) -> Tensor:
        """States (batch, position, width); allowed (batch or 1, 1, query, key)."""
        count, positions, width = states.shape
        heads = self.config["heads"]
        split = lambda each: each.view(count, positions, heads, width // heads).transpose(1, 2)
        query, key, value = (split(layer(states)) for layer in (self.query, self.key, self.value))
        if self.config["positions"] == "rope":
            query, key = rotated(query), rotated(key)
        scores = query @ key.transpose(2, 3) / math.sqrt(width // heads)
        if self.config["positions"] == "alibi":
            scores = scores + alibi(heads, positions, states.device)
        weights = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min).softmax(-1)
        return self.output((weights @ value).transpose(1, 2).reshape(count, positions, width))


class Block(nn.Module):
    """x <- x + Attention(LayerNorm(x)); x <- x + MLP(LayerNorm(x)); norm, residual and MLP as the config says."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.residual = config["residual"]
        self.attention_norm, self.attention = _norm(config), Attention(config)
        self.mlp_norm = _norm(config) if config["mlp"] else None
        self.mlp = TwoLayers(config["width"], config["hidden"], config["width"]) if config["mlp"] else None

    def forward(self, states: Tensor, allowed: Tensor) -> Tensor:
        """States (batch, position, width) after the block."""
        states = self.joined(states, self.attention(self.attention_norm(states), allowed))
        if self.mlp is None or self.mlp_norm is None:
            return states
        gelu = lambda each: functional.gelu(each, approximate="tanh")
        return self.joined(states, self.mlp(self.mlp_norm(states), gelu))

    def joined(self, states: Tensor, change: Tensor) -> Tensor:
        """The change, on top of the states where there are residual connections."""
        return states + change if self.residual else change


class TwoLayers(nn.Module):
    """W_2 f(W_1 x + b_1) + b_2."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.expand, self.contract = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)

    def forward(self, vectors: Tensor, function: Any = torch.relu) -> Tensor:
        """The same at every position."""
        return self.contract(function(self.expand(vectors)))


class Symbols(nn.Module):
    """A row per symbol, and the last for a hidden token."""

    def __init__(self, symbols: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(symbols + 1, width))

    def forward(self, tokens: Tensor, masked: Tensor) -> Tensor:
        """(batch, length, width)."""
        return self.table[torch.where(masked, len(self.table) - 1, tokens.long())]


class Values(nn.Module):
    """W (values, flag) + b with standardised values, 0 where hidden; flag: the share of channels hidden."""

    def __init__(self, inputs: dict[str, Any], width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(inputs["channels"] + 1, width)
        self.mean, self.deviation = inputs["mean"], inputs["deviation"]

    def forward(self, tokens: Tensor, masked: Tensor) -> Tensor:
        """(batch, length, width); masked (batch, length), or (batch, length, channel) of single channels."""
        values = (tokens.float().reshape(*tokens.shape[:2], -1) - self.mean) / self.deviation
        hidden = masked if masked.ndim == 3 else masked[..., None]
        flag = hidden.float().mean(-1, keepdim=True)
        return self.projection(torch.cat([values.masked_fill(hidden, 0.0), flag], -1))


class Encoder(nn.Module):
    """Encoder, blocks, final LayerNorm, a label head on a pool of the positions and a token head."""

    def __init__(self, config: dict[str, Any], inputs: dict[str, Any]) -> None:
        require_known(config)
        super().__init__()
        width, pool = config["width"], config["pool"]
        self.config, self.inputs, self.front = config, inputs, int(pool == "cls")
        symbols = inputs["symbols"]
        self.encoder = Values(inputs, width) if symbols is None else Symbols(symbols, width)
        table = config["positions"] in ("learned", "random-normal")
        rows = torch.zeros(self.front + inputs["length"], width)
        self.positions = nn.Parameter(rows, config["positions"] == "learned") if table else None
        self.cls = nn.Parameter(torch.zeros(width)) if pool == "cls" else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config["layers"]))
        self.norm = _norm(config)
        self.pool_query = nn.Parameter(torch.zeros(width)) if pool == "attention" else None
        features, classes = width * (4 if inputs["pair"] else 1), inputs["classes"]
        mlp = config["head"] == "mlp"
        self.label_head = TwoLayers(features, width, classes) if mlp else nn.Linear(features, classes)
        self.token_head = nn.Linear(width, _outputs(config, inputs))

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits of the classes (batch, label), as `label_logits`."""
        return self.label_logits(tokens, lengths)

    def label_logits(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The label head on the pooled features z; of a pair on [a, b, a - b, a * b]."""
        if not self.inputs["pair"]:
            return self.label_head(self.summary(tokens, lengths))
        flat = None if lengths is None else lengths.flatten()
        one, other = self.summary(tokens.flatten(0, 1), flat).unflatten(0, (-1, 2)).unbind(1)
        return self.label_head(torch.cat([one, other, one - other, one * other], -1))

    def token_logits(
        self,
        tokens: Tensor,
        masked: Tensor | None = None,
        lengths: Tensor | None = None,
        causal: bool | None = None,
    ) -> Tensor:
        """The token head at every position: logits of symbols or levels, or standardised values per channel."""
        return self.token_head(self.states(tokens, masked, lengths, causal)[:, self.front :])

    def features(self, tokens: Tensor, masked: Tensor | None = None, lengths: Tensor | None = None) -> Tensor:
        """Every token's vector after the final LayerNorm, (batch, length, width)."""
        return self.states(tokens, masked, lengths)[:, self.front :]

    def states(
        self,
        tokens: Tensor,
        masked: Tensor | None = None,
        lengths: Tensor | None = None,
        causal: bool | None = None,
    ) -> Tensor:
        """The same, the CLS token's in front where there is one."""
        nothing = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        states = self.embedded(tokens, nothing if masked is None else masked)
        allowed = self.allowed(states, lengths, self.config["causal"] if causal is None else causal)
        for block in self.blocks:
            states = block(states, allowed)
        return self.norm(states)

    def embedded(self, tokens: Tensor, masked: Tensor) -> Tensor:
        """What the first block reads."""
        encoded = self.encoder(tokens, masked)
        if self.cls is not None:
            encoded = torch.cat([self.cls.expand(len(encoded), 1, -1), encoded], 1)
        if self.config["positions"] == "sinusoidal":
            return encoded + sinusoidal(*encoded.shape[1:], encoded.device)
        return encoded if self.positions is None else encoded + self.positions[: encoded.shape[1]]

    def allowed(self, states: Tensor, lengths: Tensor | None, causal: bool) -> Tensor:
        """Which keys a query reads, (batch or 1, 1, query, key): none of padding, none after it if causal."""
        index = torch.arange(states.shape[1], device=states.device)
        mask = torch.ones(1, 1, len(index), len(index), dtype=torch.bool, device=states.device)
        if lengths is not None and self.config["padding_mask"]:
            mask = mask & (index < (self.front + lengths).clamp(min=1)[:, None])[:, None, None]
        return mask & (index[None, :] <= index[:, None]) if causal else mask

    def summary(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Pooled features (batch, width); padding does not count."""
        states, kind = self.states(tokens, None, lengths), self.config["pool"]
        if kind == "cls":
            return states[:, 0]
        count, positions, width = states.shape
        counts = torch.full((count,), positions, device=states.device) if lengths is None else lengths
        counted = torch.arange(positions, device=states.device) < counts[:, None]
        if kind == "mean":
            return (states * counted[..., None]).sum(1) / counts[:, None]
        if kind == "max":
            return states.masked_fill(~counted[..., None], -math.inf).amax(1)
        if kind == "last":
            return states[torch.arange(count, device=states.device), counts.long() - 1]
        scores = (states @ self.pool_query / math.sqrt(width)).masked_fill(~counted, -math.inf)
        return (scores.softmax(-1)[:, None] @ states)[:, 0]


def _norm(config: dict[str, Any]) -> nn.Module:
    return nn.LayerNorm(config["width"]) if config["norm"] else nn.Identity()


def _outputs(config: dict[str, Any], inputs: dict[str, Any]) -> int:
    """Outputs of the token head."""
    if inputs["levels"] is not None and config["intensities"] == "levels":
        return inputs["levels"]
    return inputs["symbols"] or inputs["channels"]


def angles(length: int, width: int, device: torch.device) -> Tensor:
    """i / BASE^(2m/width) for position i and frequency m < width/2."""
    frequency = _BASE ** (-torch.arange(0, width, 2, dtype=torch.float32, device=device) / width)
    return torch.arange(length, dtype=torch.float32, device=device)[:, None] * frequency


def sinusoidal(length: int, width: int, device: torch.device) -> Tensor:
    """P[i, 2m] = sin(i / BASE^(2m/width)), P[i, 2m+1] = cos of the same."""
    angle = angles(length, width, device)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def rotated(vectors: Tensor) -> Tensor:
    """RoPE: (x_m, x_{m + d/2}) at position i turned by the angle i / BASE^(2m/d)."""
    angle = angles(vectors.shape[2], vectors.shape[3], vectors.device)
    first, second = vectors.chunk(2, -1)
    return torch.cat(
        [first * angle.cos() - second * angle.sin(), first * angle.sin() + second * angle.cos()], -1
    )


def alibi(heads: int, length: int, device: torch.device) -> Tensor:
    """-2^(-8 h/H) |i - j| for head h = 1..H, on both sides of the diagonal."""
    slopes = 2.0 ** (-_STEEPEST * torch.arange(1, heads + 1, dtype=torch.float32, device=device) / heads)
    index = torch.arange(length, dtype=torch.float32, device=device)
    return -slopes[:, None, None] * (index[:, None] - index[None, :]).abs()
