"""The JSON schema of the course file, for editors: that of its model, with the documentation of its fields."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

from field_docs import field_docs
from pydantic import BaseModel

from nestedlab.classroom.course import Course, Need, Override, Parent, Student

MODELS: tuple[type[BaseModel], ...] = (Course, Parent, Student, Override, Need)
"""The models of a course file, the outermost first."""


def schema() -> dict[str, Any]:
    """The schema."""
    root = Course.model_json_schema(by_alias=True)
    parts = {"Course": root, **root["$defs"]}
    for model in MODELS:
        _document(parts[model.__name__], model)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root}


def text() -> str:
    """The schema as a file."""
    return json.dumps(schema(), indent=2) + "\n"


def _document(part: dict[str, Any], model: type[BaseModel]) -> None:
    part["description"] = inspect.getdoc(model)
    docs: Mapping[str, str] = {model.model_fields[name].alias or name: text for name, text in field_docs(model).items()}
    for name, value in part["properties"].items():
        value.pop("title", None)
        value["description"] = " ".join(docs[name].split())
