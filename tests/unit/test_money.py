"""Amounts as people read them."""

import pytest
from telemetry.money import money


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (123456, "EUR", "1,234.56 EUR"),
        (0, "USD", "0.00 USD"),
        (-499, "USD", "-4.99 USD"),
        (1200, "JPY", "1,200 JPY"),
        (1234, "KWD", "1.234 KWD"),
        (13.5, "EUR", "0.1350 EUR"),
        (2 / 3, "JPY", "0.67 JPY"),
    ],
)
def test_an_amount_is_shown_in_the_major_unit(minor: float, currency: str, shown: str) -> None:
    assert money(minor, currency) == shown
