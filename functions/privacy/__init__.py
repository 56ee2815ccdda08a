"""A player's rights: what is stored about them, and how it is erased."""
