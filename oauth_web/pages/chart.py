"""A bar chart of opt-outs by week and marketplace, as numbers for a template."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 640, 140
SERIES = 5  # marketplaces with their own colour; the others share one


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle, in pixels. series: index of the colour."""

    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The chart, and the same values as a table.

    series: marketplaces in the order of the colours; "" for all others. rows: week, values by series, and their sum.
    max_total: the largest sum.
    """

    bars: tuple[Bar, ...]
    series: tuple[str, ...]
    rows: tuple[tuple[date, tuple[int, ...], int], ...]
    max_total: int


def weeks_until(today: date, number: int) -> list[date]:
    """Return the Mondays of so many weeks; the last one is the current week."""
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
    rows = tuple((week, _values(counts, week, series, by_week[week]), by_week[week]) for week in weeks)
    max_total = max((total for _, _, total in rows), default=0)
    step = WIDTH / max(1, len(rows))
    bars = [
        bar for index, row in enumerate(rows) for bar in _stacked_bars(row[1], index * step, step, max_total)
    ]
    return Chart(bars=tuple(bars), series=series, rows=rows, max_total=max_total)


def _values(
    counts: Mapping[tuple[date, str], int], week: date, series: Sequence[str], total: int
) -> tuple[int, ...]:
    named = [counts.get((week, name), 0) for name in series if name]
    others = [total - sum(named)] if "" in series else []
    return (*named, *others)


def _stacked_bars(values: tuple[int, ...], left: float, step: float, max_total: int) -> list[Bar]:
    bars, floor = [], float(HEIGHT)
    for series, value in enumerate(values):
        if value:
            height = HEIGHT * value / max_total
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
