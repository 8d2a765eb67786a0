from django.apps import AppConfig


class ProdserverAppConfig(AppConfig):
    name = "django_prodserver"
    verbose_name = "production processes"
