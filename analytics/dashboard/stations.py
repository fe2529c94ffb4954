"""Which station makes a product. Stations belong to the display, which analytics doesn't import: huuva, which knows
both, hands the look-up over when the application starts."""

from collections.abc import Callable, Sequence

# The names of the stations that make a product, by kitchen and PLU.
type Makers = Callable[[str, str], tuple[str, ...]]


def no_stations(kitchens: Sequence[str]) -> Makers:
    return lambda kitchen, plu: ()


_makers_of: Callable[[Sequence[str]], Makers] = no_stations


def use(makers_of: Callable[[Sequence[str]], Makers]) -> None:
    """For `ready()`: what gives the makers for the kitchens with these slugs."""
    global _makers_of
    _makers_of = makers_of


def makers_of(kitchens: Sequence[str]) -> Makers:
    return _makers_of(kitchens)
