"""How many decimals money has, after ISO 4217."""

from typing import Final

_DIGITS: Final = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def minor_digits(currency: str) -> int:
    """The decimals of a currency: 2 for nearly all."""
    return _DIGITS.get(currency, 2)
