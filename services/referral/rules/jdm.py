"""A rule set as a file: JDM, the form of the engine's decision tables, of which only this much means something here.

What else a file holds is refused: it was meant to say something, and would be swallowed, or change how a table is read.
"""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JdmPlace(Part):
    """Where an editor draws a node."""

    x: float
    y: float


class JdmColumn(Part):
    id: str
    """Under which its cells stand in a row."""
    name: str = ""
    field: str


class JdmRow(Part):
    """A row: its cells by the id of their column, each an expression; an empty one, or none, is no clause."""

    id: str = Field("", alias="_id")
    description: str = Field("", alias="_description")
    need: str = ""
    age_band: str = Field("", alias="age")
    sex: str = ""
    origin: str = ""
    consent: str = ""
    urgency: str = ""
    acknowledge: str = ""
    decide: str = ""
    answer: str = ""
    service: str = ""
    counted: str = ""
    visibility: str = ""
    basis: str = ""
    kind: str = ""
    level: str = ""
    place: str = ""


class JdmContent(Part):
    hitPolicy: str  # noqa: N815 - as JDM has it
    outputPath: str | None = None  # noqa: N815
    inputs: list[JdmColumn]
    outputs: list[JdmColumn]
    rules: list[JdmRow]


class JdmNode(Part):
    id: str
    type: str
    name: str = ""
    position: JdmPlace | None = None
    content: JdmContent | None = None


class JdmEdge(Part):
    id: str
    type: str
    sourceId: str  # noqa: N815
    targetId: str  # noqa: N815


class Jdm(Part):
    """Decision tables, and how they hang together."""

    nodes: list[JdmNode]
    edges: list[JdmEdge]


def unknown(text: bytes) -> Iterator[tuple[str | int, ...]]:
    """The addresses of whatever else a file holds; what is known and wrong is for the linter to say."""
    try:
        Jdm.model_validate_json(text)
    except ValidationError as wrong:
        yield from (error["loc"] for error in wrong.errors() if error["type"] == "extra_forbidden")
