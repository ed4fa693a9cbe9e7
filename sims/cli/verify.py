"""`sptlab verify`."""

import dataclasses
import json as json_text
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from sims.cli import declarations
from sims.cli.command import Command, require_file, require_folder
from sims.cli.names import require, split
from sims.cli.progress import progress
from sims.runs.errors import UserError

if TYPE_CHECKING:
    from sims.runs.verification import ClaimResult


@dataclasses.dataclass(frozen=True)
class Verify(Command):
    """Check claims: one line per check (kind, measured error, bound). Exit status 1 when a claim fails.

    Of claims that are named, it says first what they state; `sptlab derive` shows why.
    """

    labels: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[CLAIM ...]")] = ()
    """Claims to check, for example C1 C3; default: all."""
    claims: Annotated[tuple[str, ...], tyro.conf.arg(metavar="CLAIM ...")] = ()
    """Claims to check, as an option."""
    seeds: int = 1
    """How many seeds, from --seed on; each check is reported at the worst of them."""
    list: bool = False
    """List the claims, and check none."""
    json: Path | None = None
    """Also write the verdicts to this file, as JSON."""
    out: Path | None = None
    """Also store the verdicts in this folder, as `sptlab reproduce` does."""
    line: ClassVar[str] = "verify"

    @property
    def chosen(self) -> tuple[str, ...]:
        """Labels of the claims to check; none means all. Raises UserError for an unknown one."""
        known = declarations.claims()
        return tuple(require(label, known, "claim") for label in split((*self.labels, *self.claims)))

    @property
    def computes(self) -> bool:
        """The list needs no JAX."""
        return not self.list

    def refuse(self) -> None:
        """Raise UserError for unknown claims, or where the verdicts cannot be written."""
        super().refuse()
        _ = self.chosen
        if self.seeds < 1:
            raise UserError(f"--seeds must be at least 1: got {self.seeds}; try 20")
        if self.seeds > 1 and self.out:
            raise UserError("--out stores the verdicts of one seed: got --seeds as well; use --json instead")
        require_file(self.json, "--json")
        if self.out:
            require_folder(self.out)

    def __call__(self) -> int:
        if self.list:
            print("\n".join(f"{label:4} {title}" for label, title in declarations.claims().items()))
            return 0
        from sims.runs import store, validity, verification
        from sims.runs.keys import stage_key

        config, seeds = verification.claims_config(self.chosen), range(self.seed, self.seed + self.seeds)
        seconds = lambda: verification.seconds(config)
        with progress("verify", self.quiet, seconds) as report:
            keys = [stage_key("claims", seed) for seed in seeds]
            values, _ = verification.verified(config, key=keys, report=report, derive=self.out is not None)
        if self.json:
            text = json_text.dumps(store.plain(values.claims), indent=1)
            store.write_atomic(self.json, f"{text}\n".encode())
        if self.out:
            record = store.provenance(config, command=self.provenance, seed=self.seed)
            record |= validity.made_by(verification.verified)
            with store.lock(self.out):
                store.save(self.out / "results", store.Result("claims", store.plain(values), {}, record))
        rows = verification.lines(values.claims, seeds, bool(self.chosen))
        print("\n".join([*self._words(values.claims), *rows]))
        return 0 if all(verdict.passed for verdict in values.claims) else 1

    def _words(self, claims: Sequence["ClaimResult"]) -> Sequence[str]:
        """What the terms mean that named claims use."""
        from theory import glossary

        text = " ".join(f"{one.title}. {one.statement} {one.regime}" for one in claims if self.chosen)
        rows = [f"  {word}: {meaning}." for word, meaning in glossary.used(text).items()]
        return ["Words:", *rows] if rows else []
