"""Judges each hour whether a game's data can be trusted, by what the pipeline has counted."""
