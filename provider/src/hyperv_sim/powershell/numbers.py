"""Text as a number, by the rules of PowerShell's literals: hexadecimal digits, fractions, exponents and units of bytes.

[LanguagePrimitives.ConvertStringToInteger and the tokenizer in PowerShell's public sources; suffixes that came after
Windows PowerShell 5.1 are not taken]
"""

from __future__ import annotations

import re
from fractions import Fraction

_LITERAL = re.compile(
    r"(?P<sign>[+-]?)(?:0x(?P<hex>[0-9a-f]{1,16})|(?P<real>(?:\d+\.?\d*|\.\d+)(?:e(?P<exponent>[+-]?\d{1,3}))?))[ld]?"
    r"(?P<unit>[kmgtp]b)?",
    re.ASCII | re.IGNORECASE,
)
_SIGNED_LENGTHS = (8, 16)
_UNITS = {"": 0, "kb": 10, "mb": 20, "gb": 30, "tb": 40, "pb": 50}


def whole_number(text: str) -> int | None:
    """The number that the text is, rounded half to even, or None. No text is 0."""
    plain = text.strip()
    if not plain:
        return 0
    found = _LITERAL.fullmatch(plain)
    if not found:
        return None
    digits = found["hex"] or ""
    if len(digits) in _SIGNED_LENGTHS and digits[0] not in "01234567":
        return None  # whether it is negative depends on the type; not taken
    amount = Fraction(int(digits, 16)) if digits else Fraction(found["real"])
    unit: int = 2 ** _UNITS[(found["unit"] or "").lower()]
    return round(amount * unit) * (-1 if found["sign"] == "-" else 1)
