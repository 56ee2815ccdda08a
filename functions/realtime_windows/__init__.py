"""Windows and alerts of the metrics stream, kept where the API reads them."""
