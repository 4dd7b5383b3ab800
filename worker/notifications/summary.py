"""The weekly summary: opt-outs, and what the owner has to do. Without any news nothing is sent."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from worker.app import App
from worker.block_list.listing import Query
from worker.database import format_time, parse_time
from worker.notifications.queue import Notification, Queue
from worker.owner.preferences import read_preferences

HOUR = 8  # the earliest, in this machine's time zone
WEEK = timedelta(days=7)


def summarise_week(app: App, queue: Queue, problems: Callable[[], Sequence[str]], *, now: datetime) -> bool:
    """Enqueue a summary once on the chosen day of the week; return whether there was one. Call it several times a day.

    problems: returns sentences about the current problems. now: aware; its time zone decides which day it is. Raises
    StorageError.
    """
    day = read_preferences(app.database).summary_day
    if now.weekday() != day or now.hour < HOUR:
        return False
    present = problems()  # as expensive as all other periodic work for a seller
    with app.database.together():
        summaries = app.database.documents("summaries")
        if summaries.find(today := now.date().isoformat()):
            return False
        # It starts where the last summary ended, but at most a week ago.
        ends = [parse_time(it["until"]) for it in summaries.walk()]
        since = max([*ends, now - WEEK])
        summaries.truncate()
        summaries.put({today: {"until": format_time(now)}})
        text = _text(app, since, now, present)
        if text:
            title = "buyerblock: the week in short"
            queue.put(Notification(id=f"summary-{today}", title=title, text=text, at=format_time(now)))
    return bool(text)


def _text(app: App, since: datetime, until: datetime, problems: Sequence[str]) -> str:
    """Return the summary, "" without news."""
    query = Query(reason="opted_out", first_from=since, first_to=until)
    counts = Counter(it.marketplace or "an unknown marketplace" for it in app.block_list.blocks(query))
    total, waiting = counts.total(), len(app.review)
    if not (total or waiting or problems):
        return ""
    by_place = ", ".join(f"{number:,} on {place}" for place, number in counts.most_common())
    lines = [
        f"Since {since:%d %B}, {_plural(total, 'buyer')} opted out{': ' if total else ''}{by_place}.",
        f"On the block list: {_plural(len(app.block_list), 'buyer')}.",
        *([f"Under Review, {_plural(waiting, 'mail')} to decide about."] if waiting else []),
        *(f"Needs you: {problem}" for problem in problems),
        f"The page: {app.settings.public_url or app.settings.own_url}",
    ]
    return "\n\n".join(lines)


def _plural(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
