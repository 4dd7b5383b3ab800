"""A picture of opt-outs by week and marketplace: bars as plain numbers, for a template to draw."""

from dataclasses import dataclass
from datetime import date

from oauth_web.listing import Tally

WIDTH, HEIGHT = 640, 180
FOOT, HEAD = 24, 14  # room for the weeks below and the largest number above
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
    """The picture and the same figures as a table. series: the names of the colours, in order; "" for the rest."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, date], ...]
    series: tuple[str, ...]
    rows: tuple[tuple[date, tuple[int, ...], int], ...]
    most: int


def draw(tally: Tally) -> Chart:
    """Return the chart of these weeks."""
    marketplaces = tally.marketplaces
    series = (*marketplaces[:SERIES], *([""] if len(marketplaces) > SERIES else []))
    rows = tuple((week, _figures(tally, week, series), tally.of_week(week)) for week in tally.weeks)
    most = max((total for _, _, total in rows), default=0)
    step = WIDTH / max(1, len(rows))
    bars = [bar for index, row in enumerate(rows) for bar in _stack(row[1], index * step, step, most)]
    ticks = tuple((index * step + step / 2, row[0]) for index, row in enumerate(rows) if index % 4 == 0)
    return Chart(bars=tuple(bars), ticks=ticks, series=series, rows=rows, most=most)


def _figures(tally: Tally, week: date, series: tuple[str, ...]) -> tuple[int, ...]:
    named = [tally.counts[week, name] for name in series if name]
    rest = [tally.of_week(week) - sum(named)] if "" in series else []
    return (*named, *rest)


def _stack(figures: tuple[int, ...], left: float, step: float, most: int) -> list[Bar]:
    bars, floor = [], float(HEIGHT - FOOT)
    for series, figure in enumerate(figures):
        if figure:
            height = (HEIGHT - FOOT - HEAD) * figure / most
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
