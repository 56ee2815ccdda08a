"""Authenticates requests to the REST API: checks the game's key before API Gateway lets a request through."""
