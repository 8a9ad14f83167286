"""Rooms in a storm that asks for them: whose each is, what the provider keeps of them, and how soon they are made."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.chaos.figures import Figure, at_most, none_of, percentile, spread
from tests.support import fake_zoom, jitsi
from tests.support.fake_zoom import AS_ASKED, HANG_UP, FakeZoom

if TYPE_CHECKING:
    from tests.chaos.stack import Stack

ALL = ("jitsi", "zoom")
HOSTS = 12  # the storm's psychologists
MADE_WITHIN = 10.0  # seconds of a confirmation, of 95 in 100
FAILS = 0.03  # of what Zoom is asked, and a room takes three asks: half is refused, half is done and never answered
OUTAGE = 5.0  # seconds, in the middle


class Provider:
    """Where the storm's sessions meet. Zoom's fake lives in this process, which no fault touches."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.zoom: FakeZoom | None = None
        self._open = ExitStack()
        stack.ends.append(self._open.close)
        if name == "jitsi":
            stack.environment |= jitsi.VARIABLES
        else:
            self.zoom = self._open.enter_context(fake_zoom.serving(*(f"dr{n}@example.org" for n in range(HOSTS))))
            stack.environment |= self.zoom.variables()

    def let_loose(self, seed: int, seconds: float) -> None:
        """From now on some asks fail, and for a while all."""
        if self.zoom is not None:
            self.zoom.chance = _chance(seed)
            threading.Timer(seconds / 2, self._fail_for_a_while).start()

    def _fail_for_a_while(self) -> None:
        zoom = self.zoom
        assert zoom is not None
        before, zoom.chance = zoom.chance, lambda: 503
        time.sleep(OUTAGE)
        zoom.chance = before

    def settle(self) -> None:
        """It answers again whatever it is asked."""
        if self.zoom is not None:
            self.zoom.chance = lambda: AS_ASKED


def _chance(seed: int) -> Callable[[], int]:
    drawn = random.Random(seed)
    lock = threading.Lock()

    def chance() -> int:
        with lock:
            lot = drawn.random()
        return AS_ASKED if lot > FAILS else 503 if lot > FAILS / 2 else HANG_UP

    return chance


def figures(provider: Provider, *, is_timed: bool) -> Iterator[Figure]:
    """What our rows say, held against the bookings and against what Zoom keeps."""
    from backend.bookings.machine import State
    from backend.bookings.models import Booking, Mode
    from backend.rooms.models import Room

    open_rooms = {room.booking_id: room for room in Room.objects.filter(closed_at=None)}
    meet = set(Booking.objects.filter(state=State.CONFIRMED, mode=Mode.ONLINE).values_list("pk", flat=True))
    yield Figure("rooms that are open at the end", str(len(open_rooms)))
    yield none_of("confirmed sessions without a room", [f"booking {pk}" for pk in sorted(meet - open_rooms.keys())])
    yield none_of("rooms of what is not confirmed", [f"booking {pk}" for pk in sorted(open_rooms.keys() - meet)])
    yield none_of("rooms not taken away", [str(room) for room in Room.objects.exclude(closed_at=None)])
    if provider.zoom is not None:
        yield from _at_zoom(provider.zoom, {room.name: room for room in open_rooms.values()}, is_timed=is_timed)


def _at_zoom(zoom: FakeZoom, rooms: dict[str, object], *, is_timed: bool) -> Iterator[Figure]:
    from backend.rooms.models import Room

    kept = [str(meeting["agenda"]) for meeting in zoom.meetings.values()]
    yield none_of("meetings at Zoom that no session has", sorted(set(kept) - rooms.keys()))
    yield none_of("rooms with two meetings", sorted({name for name in kept if kept.count(name) > 1}))
    lost = sorted(name for name in rooms if name not in kept)
    yield none_of("rooms without their meeting", lost)
    made = Room.objects.exclude(made_at=None).values_list("created_at", "made_at")
    waits = [(at - created).total_seconds() for created, at in made]
    yield Figure("meetings made by Zoom in all", str(zoom.made))
    yield spread("confirmation to room p50 / p99 / max", waits)
    if is_timed:
        yield at_most("confirmation to room, p95", round(percentile(waits, 0.95), 1), MADE_WITHIN, "s")
