from django.db import models


class Execution(models.Model):
    """A task that a worker has executed."""

    worker = models.CharField(max_length=20)
    text = models.CharField(max_length=200)
    pid = models.IntegerField()
    # Seconds from the wish to the deed.
    waited = models.FloatField(null=True)
    finished = models.DateTimeField(auto_now_add=True)
