"""Migrations of the warehouse, the refresh of its facts and erasure of players, by the Redshift Data API."""
