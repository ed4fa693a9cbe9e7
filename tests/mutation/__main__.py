"""`python -m tests.mutation`: see `tests/mutation/score.py`."""

import sys

import jax
import tyro

from tests.mutation.score import Mutation

jax.config.update("jax_enable_x64", True)
sys.exit(tyro.cli(Mutation, prog="python -m tests.mutation")())
