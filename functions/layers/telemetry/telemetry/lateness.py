"""How late an event may be: what every part of the platform that waits for late events goes by.

The batch job brings this module along: it imports nothing that Spark's machines do not have.
"""

from datetime import timedelta

# Between the time at which an event happened and its arrival. An older event is rejected.
TOO_OLD_AFTER = timedelta(days=31)
