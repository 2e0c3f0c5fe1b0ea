"""How people look at calls: filters under a name, and the columns that each chose."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now

from agentversions.models import User


class SavedView(models.Model):
    """Filters of the list of calls under a name: one person's own, or shown to everybody.

    `query` is a filter's address (`CallFilter.address`).
    """

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2_000)
    is_shared = models.BooleanField(default=False)
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["SavedView"]] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="saved_view_name_of_owner")]
        indexes = [
            # The menu of everybody: what others share.
            models.Index("name", name="saved_view_shared", condition=models.Q(is_shared=True)),
        ]

    def __str__(self) -> str:
        return self.name


class CallColumns(models.Model):
    """The columns that a person chose; who has no row sees the usual ones."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    columns = ArrayField(models.CharField(max_length=20))

    objects: ClassVar[models.Manager["CallColumns"]] = models.Manager()

    def __str__(self) -> str:
        return ", ".join(self.columns)
