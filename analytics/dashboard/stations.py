"""Which station makes a product. Stations belong to the display, which analytics doesn't know: huuva names in
`HUUVA_STATIONS` a callable that takes the slugs of kitchens and returns one from kitchen and PLU to stations' names."""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.utils.module_loading import import_string

type Makers = Callable[[str, str], tuple[str, ...]]


def makers_of(kitchens: Sequence[str]) -> Makers:
    name: str = settings.HUUVA_STATIONS
    if not name:
        return lambda kitchen, plu: ()
    found: Makers = import_string(name)(kitchens)
    return found
