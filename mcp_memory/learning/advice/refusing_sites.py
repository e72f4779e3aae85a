"""That calls for a site failed in several earlier runs, all of them, and where the same call, or another one, went through there."""

import re

import numpy as np

from mcp_memory.domain.answers import StepWarning
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.reading.sites import site_of
from mcp_memory.learning.telling.told_attempts import ReadEpisodes
from mcp_memory.phrases import advice as phrases
from mcp_memory.views.experience import Experience

MIN_RUNS = 2  # in which a site refused: one may have met it on a bad day
MAX_READ, MAX_LOOKED_AT = 12, 100  # episodes, and traces
MAX_WAYS, MAX_EVIDENCE = 2, 3
_NO_SUCH_PAGE = re.compile(r"\b(?:404|410)\b|\bnot found\b|\bno such\b|\bdoes not exist\b", re.I)  # which says nothing of the site

Way = tuple[str, str]  # a tool and a site


def refusing_site(x: Experience, read: ReadEpisodes, endorser: Endorser, episode: Episode, asked: Step) -> tuple[StepWarning, ...]:
    """Return a warning where *asked*, intended or failed, is a call for a site that refused such calls in two earlier runs or more.

    Of what went through there only what two of these runs have in common is told, which is of no case. Up to twelve episodes are read in
    which a call of that tool failed, those with the same error first; before a warning as many in which none did: where the site answered
    one of all these runs, there is none.
    """
    site = site_of(asked)
    if not site or _is_no_refusal(asked) or _answered(episode, asked.key, site):
        return ()
    tried, others = _tries(x, asked)
    runs = [other for other in read(tried) if other is not None]
    refused = {other.id: calls for other in runs if (calls := _refused(other, asked.key, site))}
    if len(refused) < MIN_RUNS or not endorser.may_show(endorser.of_episodes(refused)):
        return ()
    if any(_answered(other, asked.key, site) for other in (*runs, *filter(None, read(others)))):
        return ()
    went: dict[Way, list[str]] = {}
    for other in [other for other in runs if other.id in refused]:
        for way in _ways(other, refused[other.id][0].index, asked.key, site):
            went.setdefault(way, []).append(other.id)
    often = sorted((way for way, ids in went.items() if len(ids) >= MIN_RUNS), key=lambda way: -len(went[way]))
    told = [way for way in often if endorser.may_show(endorser.of_episodes(went[way]))][:MAX_WAYS]
    times, last = sum(map(len, refused.values())), next(iter(refused.values()))[-1]
    said = "" if asked.failed or not endorser.is_alone else message_of(last)  # who asks has it, or it is another agent's text
    message = phrases.refused_there(asked.key, site, times, len(refused), said, told)
    return (StepWarning(message, times, times, tuple(refused)[:MAX_EVIDENCE], None),)


def _refused(episode: Episode, key: str, site: str) -> list[Step]:
    """Return the calls of a tool for a site in an episode that were refused; for a page that is not there is no refusal."""
    return [step for step in episode.steps if step.failed and step.key == key and site_of(step) == site and not _is_no_refusal(step)]


def _answered(episode: Episode, key: str, site: str) -> bool:
    return any(not step.failed and step.key == key and site_of(step) == site for step in episode.steps)


def _is_no_refusal(step: Step) -> bool:
    return step.failed and _NO_SUCH_PAGE.search(message_of(step)) is not None


def _tries(x: Experience, asked: Step) -> tuple[list[str], list[str]]:
    """Return the newest episodes in which a call of the same tool failed, those with the same error first, and those in which none did."""
    tool, said = x.tools.find(asked.key), signature(error_text(asked)) if asked.failed else ""
    if tool < 0:
        return [], []
    of_tool = x.step_tool == tool
    failed = np.unique(x.rows_at(np.flatnonzero(of_tool & x.step_failed)))[::-1][:MAX_LOOKED_AT]
    others = np.setdiff1d(x.rows_at(np.flatnonzero(of_tool)), failed)[::-1][:MAX_READ]
    traces = sorted((x.trace(int(row)) for row in failed), key=lambda trace: all(error != said for _, error in trace.errors))
    return [trace.id for trace in traces[:MAX_READ]], [x.trace(int(row)).id for row in others]


def _ways(episode: Episode, after: int, key: str, site: str) -> set[Way]:
    """Return what went through in an episode after a step, as (tool, site): the same tool at another site, another one at this site."""
    steps = [step for step in episode.steps[after + 1 :] if not step.failed]
    return {(step.key, there) for step in steps if (there := site_of(step)) and (step.key == key) != (there == site)}
