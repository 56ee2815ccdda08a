"""Entry of the Spark job, as the tests of modules upload it."""
