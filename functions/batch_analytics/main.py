"""Entry point of the Spark job on EMR Serverless."""

from batch_analytics.job import main

if __name__ == "__main__":
    main()
