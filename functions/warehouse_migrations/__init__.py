"""Migrations of the warehouse and the refresh of its facts, run through the Redshift Data API."""
