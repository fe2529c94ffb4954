"""Which accounts were erased, so that restoring a backup does not bring them back."""

from django.db import models


class Erasure(models.Model):
    """An erased account, by a keyed digest: the table alone doesn't say whose it was (orders/erasures.py)."""

    digest = models.CharField(primary_key=True, max_length=64)
    # The new name of its orders' account.
    account = models.CharField(max_length=128)
    erased_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(digest__regex=r"^[0-9a-f]{64}$"), name="erasure_is_digest"
            )
        ]

    def __str__(self) -> str:
        return self.account
