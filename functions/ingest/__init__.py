"""The REST API: a batch of events from a game client to the raw stream."""
