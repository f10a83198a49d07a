"""The databases that a fixture is made for."""

from __future__ import annotations

import pytest

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.service))
"""SQLite, which is always there, and PostgreSQL, of which no test may be left out where services are demanded."""
