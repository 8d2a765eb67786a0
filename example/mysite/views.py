import asyncio
import json
import time

from django.conf import settings
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from . import tasks
from .facts import get_facts, get_left_out, get_processes
from .models import Execution


@never_cache
def index(request):
    return render(
        request,
        "index.html",
        {
            "facts": get_facts(request),
            "processes": get_processes(),
            "left_out": get_left_out(),
        },
    )


def health(request):
    return HttpResponse("ok", content_type="text/plain")


@never_cache
def env(request):
    return JsonResponse(get_facts(request))


async def in_event_loop(request):
    """Ten naps of 50 ms that take about 50 ms: they all ran on one event loop."""
    started = time.perf_counter()
    await asyncio.gather(*(asyncio.sleep(0.05) for _ in range(10)))
    loop = type(asyncio.get_running_loop())
    return JsonResponse(
        {
            "loop": f"{loop.__module__}.{loop.__qualname__}",
            "naps": 10,
            "seconds": round(time.perf_counter() - started, 3),
        }
    )


def slow(request):
    """A request to stop the server under: does it still get its answer?"""
    try:
        seconds = min(30, max(0, float(request.GET.get("s", "1"))))
    except ValueError:
        return HttpResponse("s is a number of seconds", status=400, content_type="text/plain")
    time.sleep(seconds)
    return HttpResponse(f"slept {seconds:g} s", content_type="text/plain")


@never_cache
def stack(request):
    """What the page of the frontend shows."""
    return JsonResponse(
        {
            "facts": get_facts(request),
            "processes": get_processes(),
            "left_out": dict(get_left_out()),
            "database": connection.display_name,
            "broker": settings.CELERY_BROKER_URL.partition(":")[0],
            "beat_seconds": settings.BEAT_SECONDS,
            "workers": sorted(tasks.give_work, reverse=True),
            "executed": Execution.objects.count(),
            "executions": list(Execution.objects.order_by("-id").values()[:12]),
        }
    )


@require_POST
def work(request):
    # Another site can make a browser post a form, but not JSON.
    if request.content_type != "application/json":
        return HttpResponse("JSON is expected", status=415, content_type="text/plain")
    worker = json.loads(request.body).get("worker")
    if worker not in tasks.give_work:
        return HttpResponse("There is no such worker", status=404, content_type="text/plain")
    tasks.give_work[worker]("what you asked for", time.time())
    return JsonResponse({"asked": worker}, status=202)
