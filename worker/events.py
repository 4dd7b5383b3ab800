"""What an event in the log carries besides its sentence."""


def fields(**values: object) -> dict[str, dict[str, object]]:
    """Return what a log call takes as ``extra``, so that no field can collide with logging's own names."""
    return {"fields": values}
