"""A picture of opt-outs by week and marketplace: bars as plain numbers, for a template to draw."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 640, 140
SERIES = 5  # marketplaces with a colour of their own; the rest share one


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle. series: which colour."""

    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The picture and the same figures as a table.

    series: the names of the colours, in order; "" for the rest. rows: for each week its figures by series, and their
    sum. most: the largest sum.
    """

    bars: tuple[Bar, ...]
    series: tuple[str, ...]
    rows: tuple[tuple[date, tuple[int, ...], int], ...]
    most: int


def weeks_until(today: date, number: int) -> list[date]:
    """Return the Mondays of this many weeks, today's the last."""
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(number))]


def draw(weeks: Sequence[date], counts: Mapping[tuple[date, str], int]) -> Chart:
    """Return the chart of these weeks. counts: buyers by week and marketplace."""
    by_marketplace: Counter[str] = Counter()
    by_week: Counter[date] = Counter()
    for (week, marketplace), count in counts.items():
        by_marketplace[marketplace] += count
        by_week[week] += count
    names = [name for name, _ in by_marketplace.most_common() if name]
    series = (*names[:SERIES], *([""] if names[SERIES:] or by_marketplace[""] else []))
    rows = tuple((week, _figures(counts, week, series, by_week[week]), by_week[week]) for week in weeks)
    most = max((total for _, _, total in rows), default=0)
    step = WIDTH / max(1, len(rows))
    bars = [bar for index, row in enumerate(rows) for bar in _stack(row[1], index * step, step, most)]
    return Chart(bars=tuple(bars), series=series, rows=rows, most=most)


def _figures(
    counts: Mapping[tuple[date, str], int], week: date, series: Sequence[str], total: int
) -> tuple[int, ...]:
    named = [counts.get((week, name), 0) for name in series if name]
    rest = [total - sum(named)] if "" in series else []
    return (*named, *rest)


def _stack(figures: tuple[int, ...], left: float, step: float, most: int) -> list[Bar]:
    bars, floor = [], float(HEIGHT)
    for series, figure in enumerate(figures):
        if figure:
            height = HEIGHT * figure / most
            floor -= height
            bars.append(
                Bar(
                    x=round(left + step * 0.15, 1),
                    y=round(floor, 1),
                    width=round(step * 0.7, 1),
                    height=round(height, 1),
                    series=min(series, SERIES),
                )
            )
    return bars
