"""Pages of a list that is never counted."""

from typing import Any

from unfold.paginator import InfinitePaginator as UnfoldInfinitePaginator

# An OFFSET reads all rows that it skips: older orders are found by day or by search.
MOST_PAGES = 1000


class InfinitePaginator(UnfoldInfinitePaginator):
    """Reads one row more than a page holds, to know whether there is a next page.

    unfold leaves its number of results out for a class of this very name.
    """

    template_name = "orders/admin/pager.html"
    more = False

    @property
    def count(self) -> int:
        return MOST_PAGES * self.per_page

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows = list(self.object_list[start : start + self.per_page + 1])
        self.more = len(rows) > self.per_page and number < MOST_PAGES
        return self._get_page(rows[: self.per_page], number, self)
