"""What is kept of an episode beside its record: the evidence in its trace, and the digest that the views are made from. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.config import LearningConfig
from mcp_memory.domain.episode import Episode, Json, Trace, trace_of
from mcp_memory.domain.fingerprints import pack, pack_answers, pack_targets
from mcp_memory.domain.identifiers import SHOWN
from mcp_memory.domain.metadata_keys import HOOK, NOTE_FROM, RECORDED_BY
from mcp_memory.domain.offers import offered, pack_offers
from mcp_memory.learning.judging.comparison import CHANGED, changed_files
from mcp_memory.learning.patterns.extractors import observations_of
from mcp_memory.learning.reading.file_uses import Touch, touches_in
from mcp_memory.learning.reading.run import run_of_episode
from mcp_memory.learning.reading.shown_files import shown_files
from mcp_memory.learning.reports import holdout
from mcp_memory.ports import Extraction
from mcp_memory.views.experience import IS_NOTE
from mcp_memory.views.fixes import AGAIN, HIDDEN, Calls, calls_of

# Of trace and indexed text; 1: without the files that were shown, 2: beginnings only, unspaced words whole, 3: targets of commands in part,
# 4: without what hides how it went, and the quality of the steps, 5: without commands given otherwise,
# 6: without what answers offer, and the parts of identifiers written with capitals, 8: shells of a group of tools were tools of their own.
DIGEST_VERSION = 9
_OF_ITS_TIME = (holdout.DIGEST_KEY, holdout.WAS_LIVE)  # of a digest: as it was when the episode was completed


def extract(episode: Episode, touches: Sequence[Sequence[Touch]], config: LearningConfig) -> Extraction:
    """Return the episode's evidence and its digest. *touches* is what its steps did to files, as `touches_in` gives it."""
    run = run_of_episode(episode)
    digest: dict[str, Json] = {
        "v": DIGEST_VERSION,
        "args": pack(episode.steps, run.calls.exact),
        "answers": pack_answers(episode.steps),
        "offers": pack_offers(offered(episode.task, episode.steps)),
    }
    digest["targets"] = pack_targets(run.calls.targets)
    if run.calls.hidden:
        digest[HIDDEN] = tuple(sorted(run.calls.hidden))
    if run.calls.again:
        digest[AGAIN] = tuple((i, *later) for i, later in run.calls.again.items())
    if shown := shown_files(episode, touches):
        digest[SHOWN] = shown
    if config.holdout > 0:
        digest[holdout.DIGEST_KEY] = holdout.in_holdout(episode.id, config.holdout)
        digest[holdout.WAS_LIVE] = episode.external_id is None or episode.metadata.get(RECORDED_BY) == HOOK
    if changed := changed_files(episode):
        digest[CHANGED] = changed
    if NOTE_FROM in episode.metadata:
        return Extraction((), (), digest | {IS_NOTE: True})
    observations = observations_of(run, [s.duration_ms for s in episode.steps]) if config.enabled else ()
    return Extraction(observations, tuple(run.errors.items()), digest)


def calls_in(extraction: Extraction, episode: Episode) -> Calls | None:
    """Return the calls of *episode*'s steps as *extraction* has them, where some failed and their errors are told: those of its trace."""
    return calls_of(trace_of(episode, extraction.errors, extraction.digest, 0)) if extraction.errors else None


def is_outdated(trace: Trace) -> bool:
    """Return whether an earlier version made the trace and the text indexed with it."""
    version = trace.digest.get("v", 0)
    return not isinstance(version, int) or version < DIGEST_VERSION


def extract_again(episode: Episode, before: Trace, config: LearningConfig) -> Extraction:
    """Return what `extract` makes of a stored episode now; whether it was in the control group stays as it was."""
    extraction = extract(episode, touches_in(episode.steps), config)
    kept = {key: value for key, value in before.digest.items() if key in _OF_ITS_TIME}
    digest = {key: value for key, value in extraction.digest.items() if key not in _OF_ITS_TIME}
    return replace(extraction, digest=digest | kept)
