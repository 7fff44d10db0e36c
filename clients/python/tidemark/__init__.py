"""Tidemark's client. See client.py."""
from tidemark.client import Client, Point, Refused, UInt, Unavailable

__all__ = ["Client", "Point", "Refused", "UInt", "Unavailable"]
