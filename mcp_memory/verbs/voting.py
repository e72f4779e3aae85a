"""Votes given with a completion: which of what was recalled helped, and which hindered."""

from collections.abc import Sequence

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.errors import NotFound
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.shown import Shown

Vote = tuple[Recommendation | None, Feedback]  # with the recommendation it is on, where that is not stored yet


class Voting:
    """Turns `helped` and `hindered` into votes."""

    def __init__(self, engines: Engines, shown: Shown) -> None:
        self._e, self._shown = engines, shown

    async def written(self, episode_id: str) -> None:
        """Wait until what was shown to an episode is stored, so that it is counted."""
        await self._shown.written(episode_id)

    def votes(self, episode: Episode, helped: Sequence[str], hindered: Sequence[str]) -> list[Vote]:
        """Return the votes to put (blocking). What was recalled outside of the episode is noted as shown to it.

        Raises:
            NotFound: An id is neither an episode's nor a pattern's, or out of reach: of another project, and was never shown.
        """
        keys = [*helped, *hindered]
        if not keys:
            return []
        store = self._e.store
        shown = store.recommendations(episode_id=episode.id)
        projects = {p.id: p.project for p in store.patterns(ids=keys, limit=len(keys))}
        projects |= {e.id: e.project for e in store.get_episodes(keys, steps=False) if e is not None}
        reached = {key for key, project in projects.items() if self._shown.in_reach(key, project, episode.project)}
        reached.update(key for recommendation in shown for key in recommendation.shown_ids if key in projects)
        if missing := [key for key in keys if key not in reached]:
            raise NotFound(f"there is no pattern or episode {missing[0]!r}", hint="Give ids from what was recalled or suggested.")
        return [
            vote
            for verdict, wanted in ((Verdict.HELPED, helped), (Verdict.HINDERED, hindered))
            for vote in self._of(episode, verdict, wanted, shown)
        ]

    def _of(self, episode: Episode, verdict: Verdict, wanted: Sequence[str], shown: Sequence[Recommendation]) -> list[Vote]:
        e, left, votes = self._e, list(dict.fromkeys(wanted)), list[Vote]()
        for recommendation in shown:
            used = tuple(key for key in left if key in recommendation.shown_ids)
            left = [key for key in left if key not in used]
            if used:
                votes.append((None, self._vote(recommendation.id, verdict, used, episode.id)))
        if left:
            noted = Recommendation(e.new_id(), RecommendationKind.RECALL, episode.project, episode.id, tuple(left), e.clock())
            votes.append((noted, self._vote(noted.id, verdict, tuple(left), episode.id)))
        return votes

    def _vote(self, recommendation_id: str, verdict: Verdict, used: tuple[str, ...], episode_id: str) -> Feedback:
        e = self._e
        return Feedback(e.new_id(), recommendation_id, verdict, used, None, "", implicit=False, at_ms=e.clock(), episode_id=episode_id)

    async def put(self, votes: Sequence[Vote]) -> None:
        """Commit the votes."""
        for noted, vote in votes:
            if noted is not None:
                await self._e.store.put_recommendation(noted)
            await self._e.store.put_feedback(vote)
