import asyncio
import time

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from .facts import get_facts, get_left_out, get_processes


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
