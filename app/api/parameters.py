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


def documented(model: type[BaseModel]) -> list[dict[str, Any]]:
    """The parameters of an OpenAPI operation whose query is the model's."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return inlined(
                    definitions[part["$ref"].rsplit("/", 1)[1]] | {k: v for k, v in part.items() if k != "$ref"}
                )
            return {key: inlined(value) for key, value in part.items()}
        return [inlined(one) for one in part] if isinstance(part, list) else part

    parameters = []
    for name, own in schema["properties"].items():
        field = inlined(own)
        description = field.pop("description", "")
        parameters.append({"name": name, "in": "query", "required": False, "description": description, "schema": field})
    return parameters
