"""Money and numbers as people read them, by language and currency (S129): €1,299.90, 1 299,90 €, 12 000 ₸.

Whole amounts go without a fraction, as on a price tag. English writes as English does; every other language as most of
the continent and Russian do: blanks between thousands, a comma, the currency behind.
"""

from decimal import Decimal

_SYMBOLS = {"EUR": "€", "KZT": "₸", "USD": "$", "GBP": "£", "RUB": "₽", "UAH": "₴", "TRY": "₺", "GEL": "₾", "INR": "₹"}
_NBSP = "\u00a0"  # so that an amount never breaks over two lines


def money(amount: Decimal, currency: str, lang: str) -> str:
    """An amount with its currency (ISO 4217), in a language (ISO 639)."""
    sign = _SYMBOLS.get(currency, currency)
    if lang != "en":
        return f"{number(amount, lang)}{_NBSP}{sign}"
    return f"{sign}{number(amount, lang)}" if currency in _SYMBOLS else f"{sign}{_NBSP}{number(amount, lang)}"


def number(amount: Decimal, lang: str) -> str:
    """A number with at most two digits behind the point: none where it is whole, both where it is not."""
    said = f"{amount:,.2f}".removesuffix(".00")
    return said if lang == "en" else said.replace(",", _NBSP).replace(".", ",")


def percent(share: Decimal, lang: str) -> str:
    """A percentage: 5%, 7.5%; in Russian 5 %, 7,5 %."""
    said = number(share, lang)
    said = said.rstrip("0") if "." in said or "," in said else said
    return f"{said}%" if lang == "en" else f"{said}{_NBSP}%"
