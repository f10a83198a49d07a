"""The API's description in OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from delivery.citation import FIELDS
from delivery.lifecycle import State
from drm.fact_values import PURPOSES

_TEXT: dict[str, Any] = {"type": "string"}
_REQUEST: dict[str, object] = {
    "type": "object",
    "properties": {
        "number": _TEXT,
        "state": {"type": "string", "enum": [state.value for state in State]},
        "waiting_for": {"type": ["string", "null"]},
        "reason": {"type": ["string", "null"]},
        "citation": {"$ref": "#/components/schemas/Citation"},
        "delivery": {"type": ["string", "null"]},
        "link": {"type": ["string", "null"]},
        "repeats": {"type": "boolean"},
    },
    "required": ["number", "state", "citation"],
}


def _answer(text: str, schema: str) -> dict[str, Any]:
    kind = "application/problem+json" if schema == "Problem" else "application/json"
    return {"description": text, "content": {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _said(text: str) -> dict[str, Any]:
    return {"description": text}


_ERRORS: dict[str, Any] = {
    str(status): _answer("What is wrong, with a reason code.", "Problem")
    for status in (400, 401, 403, 404, 409, 422, 429, 503)
}
_NUMBER = [{"name": "number", "in": "path", "required": True, "schema": _TEXT}]
_KEY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Rushlight",
        "version": "1",
        "description": "Ask for documents and fetch the copies. Bearer tokens come from the operator.",
    },
    "servers": [{"url": "/api/v1"}],
    "security": [{"token": []}],
    "paths": {
        "/requests": {
            "get": {
                "summary": "My requests",
                "responses": {**_ERRORS, "200": _said("A page of requests")},
            },
            "post": {
                "summary": "Ask for a document",
                "parameters": [_KEY],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["citation"],
                                "properties": {
                                    "citation": {"$ref": "#/components/schemas/Citation"},
                                    "purpose": {"type": "string", "enum": ["", *PURPOSES]},
                                    "deliberate": {"type": "boolean"},
                                    "declarations": {"type": "array", "items": _TEXT},
                                    "language": {"type": "string", "enum": ["en", "zh"]},
                                },
                            }
                        }
                    },
                },
                "responses": {
                    "202": _answer("Taken", "Request"),
                    "200": _answer("A repeat: the request that exists", "Request"),
                    **_ERRORS,
                },
            },
        },
        "/requests/{number}": {
            "get": {
                "summary": "One request",
                "parameters": _NUMBER,
                "responses": {"200": _answer("The request", "Request"), **_ERRORS},
            }
        },
        "/requests/{number}/cancel": {
            "post": {
                "summary": "Take it back",
                "parameters": _NUMBER,
                "responses": {"200": _answer("The request", "Request"), **_ERRORS},
            }
        },
        "/requests/{number}/open": {
            "post": {
                "summary": "Open a download window; counts one open, or none where the same key opened it before",
                "parameters": [*_NUMBER, _KEY],
                "responses": {"201": _said("The window's address"), **_ERRORS},
            }
        },
    },
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        "schemas": {
            "Citation": {"type": "object", "properties": dict.fromkeys(FIELDS, _TEXT)},
            "Request": _REQUEST,
            "Problem": {
                "type": "object",
                "properties": {
                    "title": _TEXT,
                    "status": {"type": "integer"},
                    "code": _TEXT,
                    "errors": {"type": "object"},
                },
                "required": ["title", "status", "code"],
            },
        },
    },
}
