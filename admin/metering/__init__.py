"""Figures about the running service for Prometheus: what happened in every process, and what waits in the database."""
