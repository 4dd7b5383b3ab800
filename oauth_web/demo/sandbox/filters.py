"""Filters: validation, matching and actions."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from oauth_web.demo.sandbox.refusals import Refusal, invalid, precondition
from oauth_web.demo.sandbox.search import Indexed, Query, QueryError, compile_query

MAX_CRITERIA = 1469  # characters; measured by others, not documented
MAX_FILTERS = 1000
_NOT_BY_FILTER = frozenset({"SENT", "DRAFT", "CHAT"})


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of the API. Two filters with the same criteria and action are the same filter."""

    id: str
    criteria: Mapping[str, Any]
    action: Mapping[str, Any]

    def resource(self) -> dict[str, Any]:
        return {"id": self.id, "criteria": dict(self.criteria), "action": dict(self.action)}

    def matches(self, message: Indexed, labels: frozenset[str], now: float) -> bool:
        """Return whether a new message matches all criteria."""
        size, comparison = self.criteria.get("size"), self.criteria.get("sizeComparison")
        if comparison == "larger" and not message.size > (size or 0):
            return False
        if comparison == "smaller" and not message.size < (size or 0):
            return False
        return compiled(self.criteria, now).matches(message, labels)


def compiled(criteria: Mapping[str, Any], now: float) -> Query:
    """Return the criteria as a search query."""
    terms = [f"{name}:({criteria[name]})" for name in ("from", "to", "subject") if criteria.get(name)]
    if criteria.get("query"):
        terms.append(f"({criteria['query']})")
    if criteria.get("negatedQuery"):
        terms.append(f"-({criteria['negatedQuery']})")
    if criteria.get("hasAttachment"):
        terms.append("has:attachment")
    return compile_query(" ".join(terms), now)


def checked_filter(
    filter_id: str,
    body: Mapping[str, Any],
    *,
    labels: Container[str],
    system: Container[str],
    forwarding: Container[str],
) -> Filter:
    """Return the filter of a request body. Raises Refusal."""
    criteria = {name: value for name, value in (body.get("criteria") or {}).items() if value}
    action = {name: value for name, value in (body.get("action") or {}).items() if value}
    if not criteria:
        raise invalid("Filter criteria must be specified")
    if not action:
        raise invalid("Filter action must be specified")
    if sum(len(value) for value in criteria.values() if isinstance(value, str)) > MAX_CRITERIA:
        raise invalid("The specified filter is too long")
    _check_labels(action, labels, system)
    if "forward" in action and action["forward"].lower() not in forwarding:
        raise precondition("Unrecognized forwarding address")
    if ("size" in criteria) != ("sizeComparison" in criteria):
        raise invalid("size and sizeComparison must be given together")
    try:
        compiled(criteria, now=0)
    except QueryError as error:
        raise invalid(f"Invalid filter criteria: {error}") from error
    return Filter(filter_id, criteria, action)


def already_exists() -> Refusal:
    return precondition("Filter already exists")


def _check_labels(action: Mapping[str, Any], labels: Container[str], system: Container[str]) -> None:
    added, removed = action.get("addLabelIds", []), action.get("removeLabelIds", [])
    for label_id in (*added, *removed):
        if label_id not in labels or label_id in _NOT_BY_FILTER:
            raise invalid(f"Invalid label: {label_id}")
    for label_id in removed:
        if label_id not in system:
            raise invalid(f"Filters cannot remove user labels: {label_id}")
    if sum(label_id not in system for label_id in added) > 1:
        raise invalid("Filters can add at most one user label")
