"""A list of revoked tokens that tests write."""

from dataclasses import dataclass, field

from router.revocations import FeedUnreadable, Revocation, RevocationPage


@dataclass(slots=True)
class MemoryFeed:
    """Answers with *pages*, one after the other, and then with empty ones. Mutable: remembers what it was asked.

    An Exception among the pages is raised.
    """

    pages: list[RevocationPage | FeedUnreadable] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def add(self, *revoked: Revocation) -> None:
        """Put a page with *revoked* at the end."""
        self.pages.append(RevocationPage(as_of=str(len(self.asked) + len(self.pages) + 1), revoked=list(revoked)))

    async def read(self, since: str) -> RevocationPage:
        """Return the next page."""
        self.asked.append(since)
        page = self.pages.pop(0) if self.pages else RevocationPage(as_of=since)
        if isinstance(page, FeedUnreadable):
            raise page
        return page

    async def aclose(self) -> None:
        """Do nothing."""
