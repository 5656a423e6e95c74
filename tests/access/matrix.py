"""The matrix of `matrix.toml` as cells, and as the table in docs/access.md."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from shared.kit.identity.claims import ROLES

SERVICES = ("intake", "referral", "notify", "audit")
EVERYBODY = tuple(sorted(ROLES))
NOBODY = "nobody"
"""Who has not signed in."""

Cell = Mapping[str, str]
"""Role and a value per dimension of the thing."""


@dataclass(frozen=True)
class Opening:
    """Some open cells: these roles, and for each dimension these values (all where it is not mentioned)."""

    roles: frozenset[str]
    values: Mapping[str, frozenset[str]]

    def has(self, cell: Cell) -> bool:
        return cell["role"] in self.roles and all(cell[name] in allowed for name, allowed in self.values.items())


@dataclass(frozen=True)
class Action:
    """Something that can be asked of a service, by these routes (`METHOD template`), about one thing or none."""

    service: str
    name: str
    thing: str | None
    routes: tuple[str, ...]
    may: tuple[Opening, ...]
    dimensions: Mapping[str, tuple[str, ...]]
    known_to: frozenset[str] = frozenset()
    """Roles that know of the thing anyway, so that their refusals may say why."""
    session: bool = False
    """It takes a session, so that it is not asked here."""
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What a list names by its number to a role that sees the whole country, though it may do nothing else with it."""

    def shows(self, thing: str, cell: Cell) -> bool:
        """True where the list names this thing of others to this role; never what is restricted."""
        return thing in self.names.get(cell["role"], ()) and cell.get("visibility", "normal") == "normal"

    def allows(self, cell: Cell) -> bool:
        return any(opening.has(cell) for opening in self.may)

    def allows_in_some_state(self, cell: Cell) -> bool:
        """True where at most the state of the thing stands in the way."""
        return any(self.allows({**cell, "state": state}) for state in self.dimensions.get("state", ("",)))

    def may_know(self, cell: Cell) -> bool:
        """True where it may be known that there is such a thing."""
        return cell["role"] in self.known_to or self.allows_in_some_state(cell)

    def cells(self) -> Iterator[Cell]:
        for values in product((*EVERYBODY, NOBODY), *self.dimensions.values()):
            yield dict(zip(("role", *self.dimensions), values, strict=True))


def actions() -> list[Action]:
    """The whole matrix. Raises `ValueError` when it mentions what there is not."""
    read = tomllib.loads(Path(__file__).with_name("matrix.toml").read_text(encoding="utf-8"))
    return [_action(entry, read["dimensions"]) for entry in read["action"]]


def _action(entry: Mapping[str, object], dimensions: Mapping[str, Mapping[str, list[str]]]) -> Action:
    given: dict[str, object] = dict(entry)
    thing = given.get("thing")
    known = {name: tuple(values) for name, values in dimensions[str(thing)].items()} if thing else {}
    openings = []
    for said in given["may"]:  # type: ignore[attr-defined]
        roles = {role for named in said.pop("roles") for role in (EVERYBODY if named == "everybody" else (named,))}
        if unknown := roles - ROLES - {NOBODY}:
            raise ValueError(f"{given['name']}: no such role: {', '.join(sorted(unknown))}")
        for name, values in said.items():
            if name not in known or not set(values) <= set(known[name]):
                raise ValueError(f"{given['name']}: {name} = {values} is not of a {thing}")
        openings.append(Opening(frozenset(roles), {name: frozenset(values) for name, values in said.items()}))
    return Action(
        service=str(given["service"]),
        name=str(given["name"]),
        thing=str(thing) if thing else None,
        routes=tuple(given["routes"]),  # type: ignore[arg-type]
        may=tuple(openings),
        dimensions=known,
        known_to=frozenset(given.get("known_to", ())),  # type: ignore[call-overload]
        session=bool(given.get("session")),
        names={role: frozenset(things) for role, things in dict(given.get("names", {})).items()},  # type: ignore[call-overload]
    )


def document() -> str:
    """docs/access.md."""
    lines = [
        "# Who may do what",
        "",
        "Made by `make access` from [matrix.toml](../tests/access/matrix.toml); do not edit. Each cell is asked of the",
        "applications themselves, by every route (tests/access). What is not listed is refused, with the very answer",
        "that a thing gives which does not exist. `own` is the actor's own organisation, and region or port.",
        "",
    ]
    for service in (*SERVICES, "every"):
        lines += [f"## {service.capitalize()}{' service' if service == 'every' else ''}", ""]
        lines += ["| action | thing | who | only where |", "| --- | --- | --- | --- |"]
        for action in actions():
            if action.service == service:
                lines += _lines(action)
        lines.append("")
    lines += ["## Roles", "", ", ".join(f"`{role}`" for role in EVERYBODY) + "; `nobody` has not signed in.", ""]
    return "\n".join(lines)


def _lines(action: Action) -> Iterator[str]:
    for n, opening in enumerate(action.may):
        first = (action.name, action.thing or "-") if n == 0 else ("", "")
        roles = "everybody" if opening.roles >= ROLES else ", ".join(f"`{role}`" for role in sorted(opening.roles))
        if opening.roles >= ROLES and NOBODY in opening.roles:
            roles = "everybody, signed in or not"
        where = "; ".join(
            f"{name}: {', '.join(value for value in action.dimensions[name] if value in values)}"
            for name, values in opening.values.items()
        )
        yield f"| {first[0]} | {first[1]} | {roles} | {where or '-'} |"
    for role, things in action.names.items():
        yield f"|  |  | `{role}` | names each {' and '.join(sorted(things))} of the country that is not restricted |"
