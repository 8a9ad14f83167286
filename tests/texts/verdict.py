"""What must hold after a storm, whoever was killed and whatever was lost, late or forged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from backend.channels.models import Consent
from backend.outbox.models import Delivery, Message, MessageState
from tests.chaos.figures import Figure, at_most, none_of
from tests.texts.plan import Person
from tests.texts.storm import Blown

IN_HAND = 3.0  # seconds: what a worker had in hand as a report or a STOP was taken
STOP_WITHIN, BOUNCE_WITHIN = 60.0, 120.0  # seconds


def verdict(blown: Blown) -> list[Figure]:
    """In the order in which a reader asks."""
    return [*_told(blown), *_in_time(blown), *_forged(blown), *_weather(blown)]


def as_text(figures: Sequence[Figure]) -> str:
    """A line each; of one that is missed, what to look at."""
    wide = max(len(figure.name) for figure in figures)
    lines = []
    for figure in figures:
        must = f"  must be {figure.limit}" if figure.limit else ""
        lines.append(f"{figure.name.ljust(wide)}  {figure.value}{must}{'' if figure.holds else '  MISSED'}")
        lines += [] if figure.holds else [f"    {line}" for line in figure.evidence]
    return "\n".join(lines)


def _taken(blown: Blown) -> dict[str, list[tuple[str, float]]]:
    """By telephone: the channel that took a text for it, and when."""
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for name, fake in blown.fakes.items():
        for taken in fake.taken:
            found[taken.phone].append((name, taken.at))
    return found


def _mailed(blown: Blown) -> dict[str, dict[str, float]]:
    """By address: each mail, by its uuid, and when it was first taken."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for mailed in blown.postbox.taken:
        found[mailed.to].setdefault(mailed.uuid, mailed.at)
    return found


def _told(blown: Blown) -> list[Figure]:
    taken, mailed, journal = _taken(blown), _mailed(blown), blown.journal
    twice = [phone for phone, one in taken.items() if any(times > 1 for times in Counter(_names(one)).values())]
    by_two = [phone for phone, one in taken.items() if len(set(_names(one))) > 1]
    never = [_became(one) for one in blown.people if not mailed[one.email] and one.phone not in journal.delivered]
    too_many = [email for email, mails in mailed.items() if len(mails) > 1]
    for_nothing = [
        one.email
        for one in blown.people
        if one.phone in journal.delivered
        and any(at > journal.delivered[one.phone] + IN_HAND for at in mailed[one.email].values())
    ]
    by_text = sum(1 for one in blown.people if taken[one.phone] and not mailed[one.email])
    by_mail = sum(1 for one in blown.people if mailed[one.email] and not taken[one.phone])
    shares = ", ".join(f"{name} {len(fake.taken)}" for name, fake in blown.fakes.items())
    repeated = len(blown.postbox.taken) - sum(map(len, mailed.values()))
    return [
        Figure("reminders owed", str(len(blown.people))),
        Figure("texts taken", shares),
        Figure("told by a text alone", str(by_text)),
        Figure("told by mail alone", str(by_mail)),
        Figure("mailed after a text of which nothing good was heard", str(len(blown.people) - by_text - by_mail)),
        none_of("told twice by one channel", twice),
        none_of("told by two channels", by_two),
        none_of("told never", never),
        none_of("fall-backs over one", too_many),
        none_of("mailed after the text was known to be delivered", for_nothing),
        at_most(
            "mails that a killed worker's successor repeated, each with its old id", repeated, journal.killed["mail"]
        ),
    ]


def _became(person: Person) -> str:
    """What stands in our own rows."""
    rows = Message.objects.filter(booking_id=person.booking_id).order_by("pk")
    return f"{person.email}: " + "; ".join(f"{row.kind} {row.state} {row.delivery} {row.last_error}" for row in rows)


def _names(one: list[tuple[str, float]]) -> list[str]:
    """The channels that took a text."""
    return [name for name, _ in one]


def _in_time(blown: Blown) -> list[Figure]:
    taken, journal = _taken(blown), blown.journal
    standing = set(Consent.objects.filter(withdrawn_at=None).values_list("phone_number", flat=True))
    unheard = [phone for phone in journal.stopped if phone in standing]
    after = [p for p, at in journal.stopped.items() if any(when > at + STOP_WITHIN for _, when in taken[p])]
    ours = dict(Message.objects.filter(uuid__in=journal.bounces).values_list("uuid", "pk"))
    told = set(Message.objects.filter(dedupe_key__startswith="bounced:").values_list("dedupe_key", flat=True))
    untold = [str(uuid) for uuid, pk in ours.items() if f"bounced:{pk}" not in told]
    longest = max((taken_at - sent for sent, taken_at in journal.bounces.values()), default=0.0)
    owed = Message.objects.filter(state=MessageState.WAITING).exclude(recipient="", queue="mail")
    return [
        Figure("STOPs", str(len(journal.stopped))),
        none_of("STOPs that changed nothing", unheard),
        none_of("texts a minute after a STOP, or later", after),
        Figure("mails that bounced", str(len(journal.bounces))),
        none_of("bounces that are not on staff's list", untold),
        at_most("a bounce is on staff's list after", round(longest, 2), BOUNCE_WITHIN, "s"),
        none_of("left unsettled", [f"{row.kind} {row.uuid}" for row in owed]),
    ]


def _forged(blown: Blown) -> list[Figure]:
    journal = blown.journal
    believed = [str(status) for status in journal.forged if 200 <= status < 300 or status == 0]
    texts = Message.objects.filter(kind__startswith="text:").exclude(delivery="")
    phones = {one.booking_id: one.phone for one in blown.people}
    genuine = {Delivery.DELIVERED: journal.delivered, Delivery.BOUNCED: journal.failed}
    moved = [
        f"{row.uuid} {row.delivery}"
        for row in texts
        if phones[row.booking_id or 0] not in genuine[Delivery(row.delivery)]
    ]
    withdrawn = Consent.objects.exclude(withdrawn_at=None).values_list("phone_number", flat=True)
    stopped = [phone for phone in withdrawn if phone not in journal.stopped]
    return [
        Figure("forged events", str(len(journal.forged))),
        none_of("forged events that were taken", believed),
        none_of("forged events that changed something", [*moved, *stopped]),
        none_of("genuine events that were not taken", journal.refused),
    ]


def _weather(blown: Blown) -> list[Figure]:
    """Whether there was a storm at all."""
    outage, killed = blown.journal.refused_in_outage, blown.journal.killed.total()
    calm = [name for name in blown.fakes if not outage[name]]
    return [
        Figure("asked in vain while the providers were down", ", ".join(f"{n} {many}" for n, many in outage.items())),
        none_of("channels that nobody asked meanwhile", calm if blown.plan.is_large else ()),
        Figure("workers killed", str(killed), "≥ 1", killed > 0),
        Figure("seconds", f"{blown.seconds:.0f}"),
    ]
