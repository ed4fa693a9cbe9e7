"""LaTeX set as MathML, which browsers show without a script or a font of ours."""

import html
import re
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup

from sims.store import UserError

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
INLINE = re.compile(r"\$([^$]+)\$")


def mathml(latex: str, *, block: bool = True) -> Markup:
    """A `<math>` element. Raises UserError, naming the formula, when the LaTeX cannot be read."""
    try:
        element = ElementTree.fromstring(convert(latex, display="block" if block else "inline"))
    except Exception as error:
        raise UserError(f"expected LaTeX that MathML can express, got {latex!r}; mend the formula") from error
    element.set("alttext", latex)
    ElementTree.register_namespace("", NAMESPACE)
    return Markup(ElementTree.tostring(element, encoding="unicode"))


def with_inline(text: str) -> Markup:
    """Plain text, escaped, in which `$...$` is set as mathematics."""
    parts = INLINE.split(text)
    pieces = [
        html.escape(part) if place % 2 == 0 else mathml(part, block=False) for place, part in enumerate(parts)
    ]
    return Markup("".join(pieces))
