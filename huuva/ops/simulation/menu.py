"""The simulated menu, customers and notes. Everything here is invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dish:
    """`price` in cents; `minutes` at its station, 0 for drinks, which are only handed over."""

    plu: str
    name: str
    price: int
    minutes: float
    allergens: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Station:
    """`prefixes` of the PLUs that it makes."""

    slug: str
    name: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brand:
    """`share`: how often it is ordered, relative to the others."""

    id: str
    name: str
    colour: str
    share: float
    dishes: tuple[Dish, ...]
    extras: tuple[Dish, ...]


# CAT1 and CAT2 are the products of the example that `make run` prints. Drinks have no station: all stations show them.
STATIONS: Final = (
    Station("grill", "Grill", ("GRILL-", "FRY-", "CAT1-")),
    Station("sushi", "Sushi", ("SUSHI-", "COLD-", "CAT2-")),
)

_BURGER = ("Extra cheese", "No onion", "Gluten-free bun", "Well done", "Extra bacon", "No mayonnaise")
_BOWL = ("Brown rice", "Extra avocado", "Sauce on the side", "No coriander")
_SUSHI = ("No wasabi", "Extra ginger", "Soy sauce without gluten")

_FRIES = Dish("FRY-FRIES", "French fries", 450, 3.5, (), ("Large", "No salt"))
_SWEET_FRIES = Dish("FRY-SWEET", "Sweet potato fries", 550, 4, (), ("With aioli",))
_COLA = Dish("DRINK-COLA", "Cola 0.5 l", 350, 0, (), ("Without sugar",))
_WATER = Dish("DRINK-WATER", "Sparkling water 0.33 l", 290, 0)
_LEMONADE = Dish("DRINK-LEMON", "Blackcurrant lemonade 0.4 l", 420, 0)
_MISO = Dish("COLD-MISO", "Miso soup", 420, 1.5, ("soy", "fish"))
_EDAMAME = Dish("COLD-EDAMAME", "Edamame with sea salt", 490, 1, ("soy",))

BRANDS: Final = (
    Brand(
        "burger-house",
        "Burger House",
        "#b3261e",
        4,
        (
            Dish("GRILL-CLASSIC", "Classic Burger", 1190, 6, ("gluten", "milk", "egg"), _BURGER),
            Dish("GRILL-HAWAII", "Hawaii Burger", 1290, 6.5, ("gluten", "milk"), _BURGER),
            Dish(
                "GRILL-DOUBLE",
                "Double Smash Burger with Smoked Cheddar",
                1490,
                7,
                ("gluten", "milk"),
                _BURGER,
            ),
            Dish("GRILL-HALLOUMI", "Halloumi Burger", 1250, 5, ("gluten", "milk", "sesame"), _BURGER),
            Dish("GRILL-VEGAN", "Vegan Burger", 1250, 6, ("gluten", "soy"), _BURGER),
        ),
        (_FRIES, _SWEET_FRIES, _COLA, _LEMONADE),
    ),
    Brand(
        "sushi-kumo",
        "Sushi Kumo",
        "#1d4ed8",
        3,
        (
            Dish("SUSHI-SET-L", "Sushi Set Large, 24 pieces", 2890, 8, ("fish", "soy", "sesame"), _SUSHI),
            Dish("SUSHI-SET-S", "Sushi Set Small, 10 pieces", 1490, 5, ("fish", "soy"), _SUSHI),
            Dish("SUSHI-SALMON", "Salmon Nigiri, 6 pieces", 1090, 3.5, ("fish",), _SUSHI),
            Dish("SUSHI-AVOCADO", "Avocado Maki, 8 pieces", 890, 4, ("sesame",), _SUSHI),
            Dish("SUSHI-DRAGON", "Dragon Roll with Eel and Unagi Sauce", 1590, 6, ("fish", "gluten"), _SUSHI),
        ),
        (_MISO, _EDAMAME, _WATER, _LEMONADE),
    ),
    Brand(
        "poke-ranta",
        "Poké Ranta",
        "#0f766e",
        2,
        (
            Dish("COLD-POKE-SALMON", "Salmon Poké Bowl", 1450, 4, ("fish", "soy", "sesame"), _BOWL),
            Dish("COLD-POKE-TOFU", "Tofu Poké Bowl", 1350, 4, ("soy", "sesame", "peanuts"), _BOWL),
            Dish("COLD-POKE-SHRIMP", "Shrimp and Mango Poké Bowl", 1550, 4.5, ("shellfish", "soy"), _BOWL),
        ),
        (_EDAMAME, _WATER),
    ),
    Brand(
        "wings-oulu",
        "Oulu Wings",
        "#a16207",
        2,
        (
            Dish(
                "GRILL-WINGS-8", "Chicken Wings, 8 pieces", 1090, 7, ("celery", "milk"), ("Extra hot", "Mild")
            ),
            Dish(
                "GRILL-WINGS-20",
                "Chicken Wings, 20 pieces",
                2290,
                9,
                ("celery", "milk"),
                ("Extra hot", "Mild"),
            ),
            Dish("GRILL-CORN", "Grilled Corn with Chilli Butter", 590, 4, ("milk",), ("No chilli",)),
        ),
        (_FRIES, _COLA, _WATER),
    ),
)

# Channel and how it numbers its orders for couriers.
CHANNELS: Final = (("wolt", "{}"), ("foodora", "F-{}"), ("ubereats", "U{}"), ("web", "W{}"))

ORDER_NOTES: Final = (
    "Cutlery for two, please",
    "Please pack the drinks in a bag of their own",
    "Kiitos, ei aterimia!",
    "Soittakaa ennen kuin tilaus on valmis, odotan autossa pihalla",
    "Två bestick, tack. Ingen plastpåse.",
    "Bitte alles getrennt verpacken, danke!",
    "Palun pange kastmed eraldi",
    "箸を二膳お願いします",
    "من فضلك بدون أدوات مائدة",
    "Birthday! If you have a candle, put one in. The second bag is for the neighbour, who doesn't eat meat, so "
    "please write on it what is in it; thank you so much, you are the best kitchen in town 🎂",
)
ITEM_NOTES: Final = (
    "cut in half",
    "sauce on the side",
    "ei sipulia, kiitos",
    "hyvin paistettu, ei pinkkiä keskellä",
    "utan lök, extra gurka",
    "ohne Zwiebeln",
    "わさび抜き",
    "as hot as you dare 🌶️",
    "for a child: please nothing spicy, and cut it into small pieces",
)
FIRST_NAMES: Final = (
    *("Aino", "Elias", "Sofia", "Oskari", "Linnea", "Väinö"),
    *("Zoë", "Mohammed", "Åsa", "Nguyễn", "Kerttu", "Ivan"),
)
LAST_NAMES: Final = (
    *("Virtanen", "Korhonen", "Lindström", "Öberg", "Mäkinen"),
    *("Tamm", "O’Brien", "Sato", "García"),
)
CANCEL_REASONS: Final = ("customer cancelled", "courier not found", "ordered twice")
