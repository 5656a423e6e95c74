"""Pages from templates: a service's own first, then the kit's `shell.html` and `parts.html`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from shared.kit import words
from shared.kit.ids import new_id
from shared.kit.web import navigation
from shared.kit.web.assets import Assets
from shared.kit.web.forms import CSRF_FIELD, KEY_FIELD
from shared.kit.words import Language, msg

KIT_TEMPLATES = Path(__file__).parent.parent / "templates"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")

ROLE_NAMES = {
    "port_officer": msg("Port officer"),
    "agency_worker": msg("Agency worker"),
    "agency_supervisor": msg("Agency supervisor"),
    "ngo_member": msg("Partner organisation"),
    "coordinator": msg("Coordinator"),
    "auditor": msg("Auditor"),
    "data_protection_officer": msg("Data protection officer"),
    "operator": msg("Operator"),
}


@dataclass(frozen=True, slots=True)
class Nav:
    """A link in the top bar. `label` is a message id; with `roles`, only actors with one of them see it."""

    path: str
    label: str
    roles: frozenset[str] = frozenset()


def page(request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
    """Render a template of the service (or of the kit) as the answer.

    Every template has: `language`, `url(path)`, `asset(name)`, `parts` (the macros), `hidden_fields()`, `actor`
    (or None), `path`, `_()`, `ngettext()`, and what the service passes as `values`.
    """
    pages: Pages = request.app.state.pages
    return pages.render(request, template, status=status, values=values)


def fragment(request: Request, template: str, block: str, status: int = 200, **values: object) -> HTMLResponse:
    """Render only the named block of a template, for a part of a page that is fetched again."""
    pages: Pages = request.app.state.pages
    return pages.render(request, template, block=block, status=status, values=values)


class Pages:
    """The templates of one service, once per language."""

    def __init__(
        self,
        *,
        title: str,
        templates: Sequence[Path],
        assets: Assets,
        nav: Sequence[Nav],
        csrf_token: Callable[[Request], str],
        reload: bool = False,
    ) -> None:
        self._title = title
        self._nav = nav
        self._csrf_token = csrf_token
        self._environments = {
            language: _environment(language, templates, assets, reload) for language in words.LANGUAGES
        }

    def render(
        self,
        request: Request,
        template: str,
        *,
        values: Mapping[str, object],
        block: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        found = self._environments[navigation.language_of(request)].get_template(template)
        everything = {**self._of_request(request), **values}
        text = "".join(found.blocks[block](found.new_context(everything))) if block else found.render(everything)
        return HTMLResponse(text, status_code=status)

    def _of_request(self, request: Request) -> dict[str, object]:
        """What the shell needs to know of the request."""
        language = navigation.language_of(request)
        path = request.scope["path"]
        actor = getattr(request.state, "actor", None)
        theme = request.cookies.get(THEME_COOKIE, "auto")
        return {
            "language": language,
            "service_title": self._title,
            "nav": [
                {"href": navigation.path_in(language, link.path), "label": link.label, "path": link.path}
                for link in self._nav
                if not link.roles or (actor is not None and actor.has(*link.roles))
            ],
            "path": path,
            "here": navigation.here(request),
            "switches": [
                (other, navigation.switched(request, other)) for other in words.LANGUAGES if other != language
            ],
            "actor": actor,
            "theme": theme if theme in THEMES else "auto",
            "said": navigation.said(request),
            "sign_in_href": f"{navigation.SIGN_IN}?next={quote(navigation.here(request))}",
            "errors": [],
            "hidden_fields": partial(self._hidden_fields, request),
        }

    def _hidden_fields(self, request: Request) -> Markup:
        """Inputs every form that writes must carry: the CSRF token and a key made for this rendering."""
        hidden = Markup('<input type="hidden" name="{}" value="{}">')
        return hidden.format(CSRF_FIELD, self._csrf_token(request)) + hidden.format(KEY_FIELD, new_id())


def _environment(language: Language, templates: Sequence[Path], assets: Assets, reload: bool) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in (*templates, KIT_TEMPLATES)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=reload,
        extensions=["jinja2.ext.i18n"],
    )
    i18n: Any = environment
    i18n.install_gettext_callables(partial(words.translate, language), partial(_ngettext, language), newstyle=True)
    environment.globals.update(
        url=partial(navigation.path_in, language),
        asset=assets.url,
        role_name=partial(_role_name, language),
        word_deadline=partial(words.deadline, language),
    )
    environment.filters.update(
        number=partial(words.number, language),
        moment=partial(words.moment, language),
        clock_time=partial(words.clock_time, language),
        day=partial(words.day, language),
        duration=partial(words.duration, language),
        iso=words.iso,
    )
    # A module global, so that named blocks rendered alone see the macros too.
    parts: Any = environment.get_template("parts.html").module
    environment.globals["parts"] = parts
    return environment


def _ngettext(language: Language, one: str, many: str, n: int) -> str:
    return words.plural(language, one, many, n)


def _role_name(language: Language, role: str) -> str:
    return words.translate(language, ROLE_NAMES[role]) if role in ROLE_NAMES else role
