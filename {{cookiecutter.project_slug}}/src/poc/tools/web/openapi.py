"""The server in OpenAPI: what it takes and gives, input by input, for people and programs that read that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from poc.rules.contract import LARGEST, Terms
from poc.rules.evidence import CandidateInput, Deciding
from poc.rules.oip import AGE, DATATYPE, outputs_of
from poc.tools.web.protocol import MAX_ROWS, NUMBERS

Schema = dict[str, Any]
JSON, BINARY = "application/json", "application/octet-stream"
ERROR: Schema = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string", "minLength": 1}}}
#: What JSON calls the values of each datatype that is answered.
TYPES = {"FP32": "number", "BOOL": "boolean", "BYTES": "string"}
REFUSALS = {
    "400": "The request is not as the protocol, the model or the input contract has it: the sentence names all that is wrong.",
    "405": "This path takes another method.",
    "413": "The body is larger than allowed.",
    "415": "The body is compressed.",
}


def described(name: str, version: str, inputs: Sequence[CandidateInput], deciding: Deciding) -> Schema:
    """Describe every path."""
    models = (f"/v2/models/{name}", f"/v2/models/{name}/versions/{version}")
    pages = {
        "/": "Where to go from here",
        "/v2": "The server and the extensions of the protocol that it knows",
        "/v2/health/live": "Whether the server runs",
        "/v2/health/ready": "Whether it answers requests",
        "/openapi.json": "This description",
        **dict.fromkeys(models, "The model's inputs and outputs"),
        **{f"{model}/ready": "Whether the model answers requests" for model in models},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{name}: Open Inference Protocol v2", "version": version},
        "paths": {
            **{path: {"get": {"summary": summary, "responses": {"200": _answer("As asked", {"type": "object"})}}} for path, summary in pages.items()},
            **{f"{model}/infer": {"post": _infer()} for model in models},
        },
        "components": {"schemas": {"Request": _request(inputs, deciding), "Response": _response(deciding), "Error": ERROR}},
    }


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {JSON: {"schema": schema}}}


def _infer() -> Schema:
    binary = {"schema": {"type": "string", "format": "binary"}}
    length = {"type": "integer", "minimum": 0, "description": "How many bytes of the body are JSON where binary tensors follow"}
    answered = _answer("An answer for each row", {"$ref": "#/components/schemas/Response"})
    answered["content"][BINARY] = binary
    return {
        "summary": "Answer rows",
        "parameters": [{"name": "Inference-Header-Content-Length", "in": "header", "required": False, "schema": length}],
        "requestBody": {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Request"}}, BINARY: binary}},
        "responses": {"200": answered, **{status: _answer(why, {"$ref": "#/components/schemas/Error"}) for status, why in REFUSALS.items()}},
    }


def _request(inputs: Sequence[CandidateInput], deciding: Deciding) -> Schema:
    output = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"enum": [output.name for output in outputs_of(deciding)]},
            "parameters": {"type": ["object", "null"], "properties": {"binary_data": {"type": "boolean"}}},
        },
    }
    ages = {f"{AGE}/{each.name}": _age(each) for each in inputs}
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "parameters": {"type": ["object", "null"], "properties": {"binary_data_output": {"type": "boolean"}, **ages}},
            "inputs": {"type": "array", "minItems": len(inputs), "maxItems": len(inputs), "items": {"anyOf": [_tensor(each) for each in inputs]}},
            "outputs": {"type": ["array", "null"], "items": output},
        },
        "example": {"inputs": [_example(each) for each in inputs]},
    }


def _tensor(declared: CandidateInput) -> Schema:
    """Describe an input with its terms; bounds are those of float32 where none is agreed."""
    is_number = declared.kind == "number"
    return {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"const": declared.name},
            "datatype": {"enum": [*NUMBERS] if is_number else ["BYTES"]},
            "shape": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "integer", "minimum": 1, "maximum": MAX_ROWS}},
            "data": {"type": "array", "minItems": 1, "maxItems": MAX_ROWS, "items": _value(declared)},
            "parameters": {"type": ["object", "null"], "properties": {AGE: _age(declared)}},
        },
    }


def _value(declared: CandidateInput) -> Schema:
    """Describe one value; null is a value that is missing."""
    missing: list[Schema] = [{"type": "null"}] if declared.may_be_missing else []
    if declared.one_of is not None:
        return {"anyOf": [{"enum": declared.one_of}, *missing]}
    if declared.kind == "category":
        return {"anyOf": [{"type": "string", "minLength": 0 if declared.may_be_missing else 1}, *missing]}
    low = {"exclusiveMinimum" if declared.minimum_is_strict else "minimum": -LARGEST if declared.minimum is None else declared.minimum}
    high = {"exclusiveMaximum" if declared.maximum_is_strict else "maximum": LARGEST if declared.maximum is None else declared.maximum}
    return {"anyOf": [{"type": "number", **low, **high}, *missing]}


def _age(declared: CandidateInput) -> Schema:
    most = {} if declared.max_age_seconds is None else {"maximum": declared.max_age_seconds}
    return {"type": "number", "minimum": 0, **most}


def _example(declared: CandidateInput) -> Schema:
    """Make up one value that is allowed: of numbers the one nearest to 0."""
    terms = Terms.of(declared)
    if declared.one_of:
        value: Any = declared.one_of[0]
    else:
        value = min(max(0.0, terms.low), terms.high) if declared.kind == "number" else "any"
    return {"name": declared.name, "datatype": DATATYPE[declared.kind], "shape": [1, 1], "data": [value]}


def _response(deciding: Deciding) -> Schema:
    outputs = [
        {
            "type": "object",
            "required": ["name", "datatype", "shape"],
            "properties": {
                "name": {"const": output.name},
                "datatype": {"const": output.datatype},
                "shape": {"type": "array", "items": {"type": "integer"}},
                "data": {"type": "array", "items": {"type": TYPES[output.datatype]}},
                "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}},
            },
        }
        for output in outputs_of(deciding)
    ]
    return {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "parameters": {"type": "object"},
            "outputs": {"type": "array", "items": {"anyOf": outputs}},
        },
    }
