"""Query parameters: checked by a pydantic model, documented from it.

FastAPI would do both, by resolving dependencies anew for every request: more work than all else that HTTP asks for.
"""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

Query = TypeVar("Query", bound=BaseModel)


def query_of(request: Request, model: type[Query]) -> Query:
    """The query of a request; of a parameter that is repeated, the last. Raises RequestValidationError."""
    if not request.scope["query_string"]:
        return model()
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


def documented(model: type[BaseModel], references: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The parameters of an OpenAPI operation whose query is the model's, and the schemas that they refer to.

    `references` is where those schemas will be, with `{model}` in the place of the name.
    """
    schema = model.model_json_schema(ref_template=references)
    parameters = []
    for name, field in schema["properties"].items():
        (example,) = field.pop("examples")
        parameter = {"name": name, "in": "query", "required": False, "description": field["description"]}
        # The schema keeps its description: that is the one that generated clients show.
        parameters.append({**parameter, "schema": field, "example": example})
    return parameters, schema.get("$defs", {})
