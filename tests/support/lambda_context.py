"""What Lambda hands to a handler beside the event."""


class Context:
    """The attributes that Powertools and the functions read."""

    function_name = function_version = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000
