"""Signing in with Flask's test client."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from delivery.people import Person
from tests.world import PASSWORD


def token_of(page: str) -> str:
    """The CSRF token in a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def signed_in(app: Flask, person: Person) -> FlaskClient:
    """A client signed in as a person, through the sign-in page."""
    client = app.test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    answer = client.post("/sign-in", data={"csrf_token": token_of(page), "email": person.email, "password": PASSWORD})
    assert answer.status_code == 303
    return client
