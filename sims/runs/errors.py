"""The error that a user can mend; without jax, so that a mistyped command is answered at once."""


class UserError(Exception):
    """A mistake the user can mend; the message is one line: what was expected, what came, the remedy."""
