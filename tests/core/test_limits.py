"""Each limit of an input has its source beside it, which the reference pages tell."""

from __future__ import annotations

import pytest
from field_limits import limits
from generate import RESOURCES, parts
from pydantic import BaseModel

from nestedlab.connection import Connection

MODELS: list[type[BaseModel]] = [*RESOURCES, *(part for kind in RESOURCES for part in parts(kind)), Connection]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_limit_says_what_is_taken_and_where_that_comes_from(model: type[BaseModel]) -> None:
    assert limits(model)
    assert [limit for limit in limits(model) if not (limit.rule and limit.source)] == []
