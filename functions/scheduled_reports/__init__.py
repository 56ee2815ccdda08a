"""Daily and weekly reports per game, of periods that are over (UTC)."""
