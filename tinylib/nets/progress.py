"""Progress bars: tqdm where it is installed and wanted, else nothing."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def bar(items: Iterable[T], total: int | None = None, title: str = "", shown: bool = False) -> Iterator[T]:
    """The items, one after the other, behind a bar when `shown`; without tqdm they pass in silence."""
    if shown:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return iter(items)
        return iter(tqdm(items, total=total, desc=title))
    return iter(items)
