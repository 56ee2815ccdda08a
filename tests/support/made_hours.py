"""Hourly events of a made-up game: its rhythm, growth and noise, with days that are unlike others."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

DAY, WEEK, YEAR = 24, 168, 52 * 168
SUMMER, WINTER = 13 * WEEK, 43 * WEEK
RELEASE, RELEASE_GAIN, RELEASE_HOURS = 20 * WEEK + 12, 0.4, 2 * WEEK
HOLIDAYS = (65, 141, 200, 275, 358, 359)


@dataclass(frozen=True, slots=True)
class Game:
    """A healthy game: events an hour at first, the amplitude of its day, weekends and growth as factors."""

    events: float
    amplitude: float = 0.6
    weekend: float = 1.3
    growth_a_week: float = 1.02
    day_noise: float = 0.05
    hour_noise: float = 0.05
    events_a_session: float = 5

    def hours(self, seed: int, length: int = YEAR) -> Iterator[int]:
        """Yield the events of each hour: one year has summer time, a release and holidays."""
        chance = random.Random(seed)
        of_day = 0.0
        for hour in range(length):
            day = hour // DAY
            if hour % DAY == 0:
                # Good and bad days come in rows.
                of_day = 0.5 * of_day + chance.gauss(0, self.day_noise)
            clock = hour + (SUMMER <= hour < WINTER)
            rhythm = 1 + self.amplitude * math.sin(2 * math.pi * (clock % DAY - 9) / DAY)
            free = day % 7 >= 5 or day in HOLIDAYS
            since = hour - RELEASE
            release = 1 + RELEASE_GAIN * math.exp(-since / RELEASE_HOURS) if since >= 0 else 1
            mean = self.events * rhythm * (self.weekend if free else 1) * self.growth_a_week ** (hour / WEEK)
            mean *= release * math.exp(of_day + chance.gauss(0, self.hour_noise))
            # Sessions come by chance, and each sends several events.
            sessions = mean / self.events_a_session
            yield max(0, round(self.events_a_session * chance.gauss(sessions, math.sqrt(sessions))))


GAMES = {
    "large, level": Game(30_000, growth_a_week=1),
    "large, growing": Game(30_000, growth_a_week=1.05),
    "large, shrinking": Game(30_000, growth_a_week=0.97),
    "steep days": Game(5_000, amplitude=0.85, weekend=1.5),
    "medium": Game(3_000),
    "small": Game(500, weekend=1.6),
    "noisy": Game(3_000, day_noise=0.1, hour_noise=0.15),
}
