"""Ctrl-C and SIGTERM end a run, also where Python or a library would swallow them."""

import contextlib
import os
import signal
import sys
import threading
from types import FrameType

INTERRUPTED = threading.Event()
_received = signal.SIGINT


def install_signal_handlers() -> None:
    """End the run at Ctrl-C or SIGTERM by KeyboardInterrupt, which frees and stops what it holds.

    In a callback of the garbage collector it would be printed and ignored: it is sent again a moment later. A
    bare `except`, as some libraries have around their imports, eats it: the next report raises it again.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        global _received
        _received = signal.Signals(number)
        INTERRUPTED.set()
        if _ignored_in(frame):
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
        else:
            raise KeyboardInterrupt

    global _received
    _received = signal.SIGINT
    INTERRUPTED.clear()
    if threading.current_thread() is not threading.main_thread():
        return
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is default:  # not so under nohup
            signal.signal(number, handle)


def interrupt_code() -> int:
    """What shells expect of a process that a signal ended: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + _received


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
