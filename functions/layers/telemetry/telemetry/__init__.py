"""Shared by every function that touches events: catalogue, decoding, validation, enrichment, delivery."""
