"""How far imports of files got: written with each batch, so that a killed import goes on where it was."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from agentversions.models.database import READ_APPEND_AND_CHANGE


class ImportProgress(models.Model):
    """A file by the digest of its content and of what was stated of it; `records` of it are taken or refused."""

    database_privileges = READ_APPEND_AND_CHANGE

    digest = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=300)
    records = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    is_done = models.BooleanField(default=False)
    started_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["ImportProgress"]] = models.Manager()

    def __str__(self) -> str:
        return self.name
