"""Sends a game's events to the platform: typed, in batches, kept on disk while the network is away."""

from player_analytics.client import Client, Session
from player_analytics.connection import Connection
from player_analytics.field_errors import FieldError
from player_analytics.settings import Settings, Stats
from player_analytics.transport import Answer
from player_analytics.validation import Problem

__all__ = ["Answer", "Client", "Connection", "FieldError", "Problem", "Session", "Settings", "Stats"]
__version__ = "1.0.0"
