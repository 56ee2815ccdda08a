"""What ids look like: patterns of the whole text, which a test holds to the events' schemas."""

GAME = r"^[a-z0-9][a-z0-9-]{1,62}$"
PLAYER = r"^[A-Za-z0-9_.:-]{1,64}$"
EVENT_TYPE = r"^[a-z][a-z0-9_]{0,63}$"
BOARD = r"^[a-z0-9_-]{1,64}$"
