"""All adapters. A new one is a module beside this and a line here (docs/adding-a-channel.md)."""

from typing import Final

from integrations.adapters.base import Adapter
from integrations.adapters.deliverect import Deliverect
from integrations.adapters.generic import Generic

ADAPTERS: Final[dict[str, Adapter]] = {adapter.kind: adapter for adapter in (Deliverect(), Generic())}
KINDS: Final = tuple(ADAPTERS)
