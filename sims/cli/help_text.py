"""A command's help, as a terminal shows it: what it does, its own options first, those of every command last.

tyro reads the dataclass and draws boxes; here they are read back and set as most tools set theirs.
"""

import dataclasses
import re
import shutil
import textwrap
from collections.abc import Iterator

_COMMON = ("Command", "Storing", "ExperimentCommand")
_INDENT, _WIDEST, _LONGEST = 26, 100, 22


@dataclasses.dataclass
class Option:
    """One line of help: the option as it is typed, and what it does."""

    typed: str
    does: str

    @property
    def flag(self) -> str:
        """Its name without its values."""
        return re.split(r"[\s,]", self.typed)[-1 if self.typed.startswith("-h") else 0]


def readable(drawn: str, command: type, width: int | None = None) -> str:
    """The help that tyro draws of a command, in plain lines at most as wide as the terminal; as it is without boxes."""
    width = min(width or shutil.get_terminal_size().columns, _WIDEST)
    head, *boxes = re.split(r"^╭─ (.*?) ─+╮$", drawn, flags=re.MULTILINE)
    if not boxes:
        return drawn
    sections = dict(zip(boxes[::2], boxes[1::2], strict=True))
    own, common = _by_origin(_options(sections.pop("options", "")), command)
    paragraphs = [textwrap.fill(_sentence(text), width) for text in re.split(r"\n\s*\n", head.strip())]
    for title, box in sections.items():
        lines = box.split("\n")
        rule = next((number for number, line in enumerate(lines) if line.startswith("│ ───")), 0)
        says = " ".join(line.strip("│ ") for line in lines[:rule]).strip()
        paragraphs.append(_section(f"{title}: {says}" if says else f"{title}:", _options(box), width))
        if title == "positional arguments" and own:
            paragraphs.append(_section("options:", own, width))
            own = []
    if own:
        paragraphs.insert(len(paragraphs) - len(sections), _section("options:", own, width))
    return "\n\n".join([*paragraphs, _section("options of every command:", common, width)]) + "\n"


def every_option(drawn: str) -> list[Option]:
    """Every option and name in the help that tyro draws, in its order."""
    return [
        option for box in re.split(r"^╭─ .*╮$", drawn, flags=re.MULTILINE)[1:] for option in _options(box)
    ]


def _sentence(text: str) -> str:
    """A paragraph in one line, begun and ended as a sentence unless it begins with what it describes."""
    line = " ".join(text.split())
    if re.match(r"\w+( [A-Z]+)?:", line):
        return line
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "?")) else ".")


def _options(box: str) -> list[Option]:
    """The options in a box of tyro's: a name stands at its left edge, what follows is indented."""
    options: list[Option] = []
    for line in box.split("\n"):
        text = re.sub(r"^│ | *│$", "", line)
        if not line.startswith("│") or text.startswith("──"):
            options = [] if text.startswith("──") else options
        elif text.startswith(" ") and options:
            options[-1].does += f" {text.strip()}"
        elif options and options[-1].typed.count("[") > options[-1].typed.count("]"):
            options[-1].typed += f" {text.strip()}"
        else:
            typed, _, does = text.partition("  ")
            options.append(Option(typed, does.strip()))
    return [Option(_plain(each.typed), _described(each)) for each in options]


def _plain(typed: str) -> str:
    """An option as it is typed, without what only tyro's readers know: None is to leave it out."""
    repeated = re.sub(r"\[(\{?[^\s\[\]]+\}?) \[\1 \.\.\.\]\]", r"\1 ...", typed)
    without = repeated.replace("{None}|", "").replace("{None,", "{")
    return re.sub(r"\|\{(\w+)\}", r"|\1", without)


def _described(option: Option) -> str:
    """What an option does and its default, once; one that turns something off says so first."""
    does = " ".join(option.does.split())
    does = re.sub(r" ?\(default: (None|False|True|''|)\)$", "", does)
    if re.match(r"--([\w.-]+\.)?no-", option.typed):
        what = re.sub(r"; the flag leaves (it|them) out", "", does)
        does = "Turns off: " + re.sub(r"^[A-Z](?=[a-z]*\b)", lambda first: first[0].lower(), what)
    return "Show this help." if option.typed.startswith("-h") else does


def _by_origin(options: list[Option], command: type) -> tuple[list[Option], list[Option]]:
    """(an experiment's settings and then its command's options, the options of every command)."""
    names = [kind.__name__ for kind in command.__mro__]
    first_common = next((rank for rank, name in enumerate(names) if name in _COMMON), len(names))
    settings = 0 if "ExperimentCommand" in names else first_common - 1
    ranks = {
        f"--{name.replace('_', '-')}": rank
        for rank, kind in reversed(list(enumerate(command.__mro__)))
        for name in vars(kind).get("__annotations__", {})
    } | {"--help": first_common}
    rank = lambda option: ranks.get(option.flag, settings)
    own = sorted((each for each in options if rank(each) < first_common), key=rank)
    return own, [each for each in options if rank(each) >= first_common]


def _section(title: str, options: list[Option], width: int) -> str:
    """A title, and under it each option beside what it does, or above it where its name is long."""
    return "\n".join(
        [textwrap.fill(title, width), *(line for each in options for line in _lines(each, width))]
    )


def _lines(option: Option, width: int) -> Iterator[str]:
    """One option's lines."""
    does = textwrap.wrap(option.does, width - _INDENT) or [""]
    if len(option.typed) <= _LONGEST:
        yield f"  {option.typed:{_INDENT - 2}}{does.pop(0)}".rstrip()
    else:
        yield from textwrap.wrap(option.typed, width, initial_indent="  ", subsequent_indent=" " * 6)
    yield from (" " * _INDENT + line for line in does if line)
