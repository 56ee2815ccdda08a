"""Entry point of the application on Managed Service for Apache Flink."""

from realtime_analytics.job import build
from realtime_analytics.settings import load

if __name__ == "__main__":
    build(load()).execute()
