"""What the demo's invented shop sells and gives away."""

from typing import Any

CURRENCY = "EUR"
SITE = "https://example.com"

_SOLD: tuple[tuple[str, str, str, str, float, float, tuple[str, ...]], ...] = (
    # id, category, English, Russian, price, rating, accessories
    ("kettle-1", "kettles", "Red kettle", "Красный чайник", 39.9, 4.4, ("descaler-1", "towel-1")),
    ("kettle-2", "kettles", "Steel kettle", "Стальной чайник", 59.0, 4.8, ("descaler-1",)),
    ("kettle-3", "kettles", "Travel kettle", "Дорожный чайник", 24.5, 4.1, ("descaler-1",)),
    ("teapot-1", "teapots", "Blue teapot", "Синий заварник", 32.0, 4.7, ("cups-1", "tray-1")),
    ("teapot-2", "teapots", "Glass teapot", "Стеклянный заварник", 27.9, 4.5, ("cups-1", "strainer-1")),
    ("teapot-3", "teapots", "Clay teapot", "Глиняный заварник", 74.0, 4.9, ("tray-1",)),
    ("cups-1", "cups", "Two cups", "Две чашки", 18.0, 4.6, ("tray-1", "towel-1")),
    ("cups-2", "cups", "Four glasses", "Четыре стакана", 22.0, 4.2, ("tray-1",)),
    ("tray-1", "kitchen", "Oak tray", "Дубовый поднос", 29.0, 4.6, ()),
    ("towel-1", "kitchen", "Linen towel", "Льняное полотенце", 9.9, 4.3, ()),
    ("strainer-1", "kitchen", "Tea strainer", "Ситечко для чая", 6.5, 4.5, ()),
    ("descaler-1", "kitchen", "Descaler", "Средство от накипи", 7.9, 4.0, ()),
)
_READ = (
    ("guide-1", "guides", "How to choose a kettle", "Как выбрать чайник"),
    ("guide-2", "guides", "Five ways to brew tea", "Пять способов заварить чай"),
    ("story-1", "stories", "A tea house in a week", "Чайная за неделю"),
    ("story-2", "stories", "Two hundred cups a day", "Двести чашек в день"),
)
SOLD = {each[0]: each[4] for each in _SOLD}
"""Prices by product, in CURRENCY."""

PRODUCTS: list[dict[str, Any]] = [
    {
        "id": name,
        "category": category,
        "name": {"en": en, "ru": ru},
        "price": price,
        "currency": CURRENCY,
        "rating": rating,
        "url": f"{SITE}/{name}",
        "related": list(related),
    }
    for name, category, en, ru, price, rating, related in _SOLD
] + [
    {"id": name, "category": category, "name": {"en": en, "ru": ru}, "url": f"{SITE}/{name}"}
    for name, category, en, ru in _READ
]
"""The product feed, as POST /v1/products takes it: what is sold, and what there is to read."""

OFFERS = {
    name: {"kind": "generated", "prefix": prefix, "discount": {"percent": percent}, "valid_for": "14 days"}
    for name, prefix, percent in (
        ("welcome5", "WELCOME5", 5),
        ("personal10", "FORYOU10", 10),
        ("repeat10", "AGAIN10", 10),
        ("accessories15", "GOESWITH15", 15),
        ("newsletter", "LETTER7", 7),
        ("birthday", "BIRTHDAY", 20),
        ("comeback", "COMEBACK", 15),
        ("winback", "WINBACK", 25),
        ("friend", "FRIEND", 10),
    )
}
"""The offers that the journeys' messages name, as PUT /v1/offers/{offer} takes them."""

COMPANIES = {
    "acme": {"name": "Acme GmbH", "owner": "mira@example.com", "attributes": {"industry": "logistics"}},
    "samovar": {"name": "Samovar & Co", "owner": "pavel@example.com", "attributes": {"industry": "hotels"}},
    "teahouse": {"name": "Tea House", "owner": "mira@example.com", "attributes": {"industry": "restaurants"}},
}
"""Companies that some customers decide for."""
