"""What a command line answers, as `front_door` of conftest gives it: exit code, stdout, stderr."""


def complaint(outcome: tuple[int, str, str]) -> str:
    """The one line of an error with exit code 2."""
    code, out, err = outcome
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("sptlab: ")
    return err


def raising(error: BaseException):
    """A command's `__call__` that ends in this error."""

    def call(_):
        raise error

    return call
