from django.urls import path

from . import views

urlpatterns = [
    path("", views.index),
    path("health/", views.health),
    path("env.json", views.env),
    path("async/", views.in_event_loop),
    path("slow/", views.slow),
    path("stack.json", views.stack),
    path("jobs/", views.work),
]
