"""The class of rules, and a helper to write their examples."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill, indent

INDENT = " " * 4


@dataclass(frozen=True, slots=True)
class Rule:
    """The description of a rule.

    Attributes
    ----------
    code : str
        Code such as ``S201``. P1xx: reading, N1xx: names and settings, S2xx: impossible sizes, S3xx: sizes that
        drop border pixels or agree only sometimes, R5xx: running and training, D6xx: drawing.
    title : str
        Title in a few words.
    text : str
        Explanation of the rule and why it matters.
    example : str
        A spec that breaks the rule, or a command after ``$``. If the rule is about given sizes, the first
        line is a comment with the command.
    fixed : str
        The example without the mistake.
    """

    code: str
    title: str
    text: str
    example: str
    fixed: str

    def document(self, width: int = 100) -> str:
        """Return the rule as text: code and title, what it means, an example and the cure."""
        parts = [f"{self.code}: {self.title}", fill(self.text, min(width, 100))]
        parts.append(f"Example:\n\n{indent(self.example.rstrip(), INDENT)}")
        parts += [f"Fix:\n\n{indent(self.fixed.rstrip(), INDENT)}"] if self.fixed else []
        return "\n\n".join(parts) + "\n"


def spec(layers: str, image: str = "[N, 1, 28, 28]", more: str = "") -> str:
    """Return a small spec from its layers, one per line, the shape of its input, and the text after the layers."""
    body = "".join(f"  - {line}\n" for line in layers.splitlines())
    return f"spec: 1\nname: example\ninput: {{image: {image}}}\nlayers:\n{body}{more}"
