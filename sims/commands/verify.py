"""`sptlab verify`."""

import dataclasses
import json as json_text
from pathlib import Path
from typing import ClassVar

from sims.commands.command import Command
from sims.commands.progress import progress


@dataclasses.dataclass(frozen=True)
class Verify(Command):
    """Check the claims: one line per check (kind, residual, tolerance). Exit 1 when a claim fails."""

    claims: tuple[str, ...] = ()
    """Labels, for example C1 C3 or C1,C3; none means all."""
    json: Path | None = None
    """Also write the verdicts to this file."""
    out: Path | None = None
    """Also store the verdicts in this folder, as `reproduce` does."""
    line: ClassVar[str] = "verify"

    def __call__(self) -> int:
        from sims import store, verification
        from sims.keys import stage_key

        config = verification.claims_config(self.claims)
        with progress("verify", self.quiet) as report:
            values, _ = verification.verified(config, key=stage_key("claims", self.seed), report=report)
        verdicts = values["claims"]
        if self.json:
            store.write_atomic(self.json, (json_text.dumps(verdicts, indent=1) + "\n").encode())
        if self.out:
            record = store.provenance(config, command=self.provenance, seed=self.seed)
            with store.lock(self.out):
                store.save(self.out / "results", store.Result("claims", values, {}, record))
        print("\n".join(verification.lines(verdicts)))
        return 0 if all(verdict["passed"] for verdict in verdicts) else 1
