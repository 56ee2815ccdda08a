"""Clients whose events have no numbers within their session; the Spark job imports nothing else of them."""

# Value of client.sdk: events in the AWS guidance's envelope. Gaps between their numbers mean nothing.
GUIDANCE_SDK = "aws-guidance"
