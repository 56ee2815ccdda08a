"""Clients whose events have no numbers within their session; the Spark job imports nothing else of them."""

# Values of client.sdk. Gaps between the numbers of these events mean nothing.
GUIDANCE_SDK = "aws-guidance"
UNNUMBERED_SDKS = (GUIDANCE_SDK, "amplitude", "gameanalytics", "unity-analytics")
