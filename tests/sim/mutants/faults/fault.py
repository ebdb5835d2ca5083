"""One fault that mutants.py plants."""
import typing


class Fault(typing.NamedTuple):
    name: str
    found_by: tuple[str, ...]  # invariants, any of which may be the first one to break
    source: str
    changes: list[tuple[str, str]]  # what is put in place of what, once each
    # Where the source is a header: those that are compiled anew with it, which must be all that use what is changed.
    users: tuple[str, ...] = ()
