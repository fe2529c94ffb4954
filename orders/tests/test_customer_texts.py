"""Each text of an order is known as a customer's or as none: what nobody has decided about would outlive an erasure."""

import pytest
from django.db import models

from orders.models import Order, OrderItem
from orders.models.orders import FREE_TEXT

# Erasure and retention replace these one by one (orders/privacy.py).
CUSTOMER = {"account", "customer_name", "customer_phone", "delivery_address"}
NOT_PERSONAL = {
    Order: {"id", "brand_id", "channel", "channel_order_id", "channel_display_id", "currency"},
    OrderItem: {"plu", "name", "modifiers", "allergens"},
}


@pytest.mark.parametrize("model", [Order, OrderItem])
def test_each_text_column_is_known_as_a_customers_or_none(model: type[models.Model]) -> None:
    texts = {
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField)
    }

    assert texts <= CUSTOMER | set(FREE_TEXT) | NOT_PERSONAL[model]
