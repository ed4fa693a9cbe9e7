"""Ctrl-C ends a run, also where Python or a library would swallow it."""

import contextlib
import os
import signal
import sys
import threading
from types import FrameType

INTERRUPTED = threading.Event()


def install_sigint_handler() -> None:
    """End the run at Ctrl-C, also where Python or a library would swallow the exception.

    In a callback of the garbage collector it would be printed and ignored: it is sent again a moment later. A
    bare `except`, as some libraries have around their imports, eats it: the next report raises it again.
    """

    def handle(_: int, frame: FrameType | None) -> None:
        INTERRUPTED.set()
        if _ignored_in(frame):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            raise KeyboardInterrupt

    INTERRUPTED.clear()
    untouched = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not so under nohup
    if untouched and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handle)


def _ignored_in(frame: FrameType | None) -> bool:
    """Is this code called by the garbage collector, where Python ignores exceptions?"""
    while frame is not None:
        if frame.f_code.co_name in ("_xla_gc_callback", "__del__"):
            return True
        frame = frame.f_back
    return False


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt again where a library that was being imported has swallowed it."""
    if INTERRUPTED.is_set():
        raise KeyboardInterrupt


def end_workers() -> None:
    """Free what worker processes share, as an ordinary exit does: else Python warns of leaked semaphores."""
    if "multiprocessing.util" in sys.modules:
        with contextlib.suppress(Exception):
            sys.modules["multiprocessing.util"]._run_finalizers(0)
