"""The lake's history: bronze to silver to gold, on Spark."""
