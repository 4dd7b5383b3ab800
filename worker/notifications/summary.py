"""The summary of the week: who opted out, and what waits for the owner. Nothing is sent about a week without news."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from worker.app import App
from worker.block_list.listing import Query
from worker.database import format_time, parse_time
from worker.notifications.queue import Notification, Queue
from worker.owner.preferences import read_preferences

HOUR = 8  # of the day by this machine's clock: not before anybody is up
WEEK = timedelta(days=7)


def summarise_week(app: App, queue: Queue, problems: Callable[[], Sequence[str]], *, now: datetime) -> bool:
    """Put a summary into the queue on the chosen day of the week, once; return whether there was one.

    problems: returns those of now, in sentences. To be called several times a day. now: aware; its own zone says
    which day it is. Raises StorageError.
    """
    day = read_preferences(app.database).summary_day
    if now.weekday() != day or now.hour < HOUR:
        return False
    present = problems()  # it costs as much as all else that is done for a seller at intervals
    with app.database.together():
        summaries = app.database.documents("summaries")
        if summaries.find(today := now.date().isoformat()):
            return False
        # From where the last one ended; after a long pause it is of the last week all the same.
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
    """Return the summary, "" where there is nothing to say."""
    query = Query(reason="opted_out", first_from=since, first_to=until)
    places = Counter(it.marketplace or "an unknown marketplace" for it in app.block_list.blocks(query))
    waiting = len(app.review)
    if not (places or waiting or problems):
        return ""
    by_place = ", ".join(f"{number:,} on {place}" for place, number in places.most_common())
    lines = [
        f"Since {since:%d %B}, {_counted(places.total(), 'buyer')} opted out{': ' if places else ''}{by_place}.",
        f"On the block list: {_counted(len(app.block_list), 'buyer')}.",
        *([f"Under Review, {_counted(waiting, 'mail')} to decide about."] if waiting else []),
        *(f"Needs you: {problem}" for problem in problems),
        f"The page: {app.settings.public_url or app.settings.own_url}",
    ]
    return "\n\n".join(lines)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
