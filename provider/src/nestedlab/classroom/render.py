"""The pages of a class as text: HTML and Markdown, made from templates with what pages.py has gathered."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from nestedlab.classroom.pages import ClassPage, StudentPage
from nestedlab.errors import ConfigurationError
from nestedlab.topology.mermaid import mermaid
from nestedlab.topology.svg import svg
from nestedlab.topology.words import gib, machine_size

if TYPE_CHECKING:
    from jinja2 import Environment

# What Markdown, or the HTML in it, may read as markup inside a line (CommonMark; GitHub's tables and strikethrough).
_MARKUP = re.compile(r"[\\`*_{}\[\]<>&|~#$]")
_TICKS = re.compile(r"`+")


def student_html(page: StudentPage, class_name: str, made_at: datetime) -> str:
    """A student's hand-out, as one file that needs nothing else."""
    template = templates().get_template("student.html")
    return template.render(page=page, class_name=class_name, made_at=made_at)


def student_markdown(page: StudentPage, class_name: str, made_at: datetime) -> str:
    """A student's hand-out in Markdown, with the picture as a Mermaid flowchart."""
    template = templates().get_template("student.md")
    return template.render(page=page, class_name=class_name, made_at=made_at)


def dashboard_html(page: ClassPage, *, linked: bool) -> str:
    """The trainer's dashboard, as one file that needs nothing else; with links to hand-outs beside it if `linked`."""
    drift_known = any(student.drift is not None for student in page.students)
    template = templates().get_template("dashboard.html")
    return template.render(page=page, linked=linked, drift_known=drift_known)


@cache
def templates() -> Environment:
    """The templates. Raises ConfigurationError if what reads them is not installed."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape  # noqa: PLC0415
        from markupsafe import Markup  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            f"the pages of a class need {error.name}, which is not installed. Run `pip install 'nestedlab[class]'`."
        ) from None

    environment = Environment(
        loader=PackageLoader("nestedlab.classroom"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        time=_time,
        moment=lambda at: f"{_time(at, at)} (UTC{at.isoformat()[-6:]})",
        svg=lambda topology: Markup(svg(topology)),  # noqa: S704 - the picture escapes what it shows
        mermaid=mermaid,
        size=machine_size,
        gib=lambda amount: gib(amount * 1024),
        md=_markdown,
        code=_code,
    )
    return environment


def _time(at: datetime, like: datetime) -> str:
    """A time as it is in the time zone of another."""
    return f"{at.astimezone(like.tzinfo):%Y-%m-%d %H:%M}"


def _markdown(text: str) -> str:
    """A text as Markdown shows it unchanged, in one line."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def _code(text: str) -> str:
    """A text as code in a line, also in a cell of a table."""
    if not text:
        return ""
    fence = "`" * (1 + max((len(ticks) for ticks in _TICKS.findall(text)), default=0))
    inside = " ".join(text.split()).replace("|", "\\|")
    return f"{fence} {inside} {fence}" if "`" in text else f"{fence}{inside}{fence}"
