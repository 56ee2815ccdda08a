"""What an environment costs a month: its settings, prices, usage, and the bill they make."""
