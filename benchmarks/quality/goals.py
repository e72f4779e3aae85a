"""What must be reached, on which form of the split: rows of the scorer and of `measures`."""

from dataclasses import dataclass

PLAIN = "plain"  # the split as it is
VARIANTS = {"tools": (), "free": (), "bare": (), "crowd": ("10",), "noisy": ("20",)}  # its harder forms, and the number each is made with
LANGUAGES = ("de", "es", "zh", "ja")


@dataclass(frozen=True, slots=True)
class Goal:
    variant: str
    row: str
    metric: str
    goal: float
    lower: bool = False  # the lower the better
    than: str = ""  # the variant whose figure `goal` is added to

    def met(self, value: float, other: float = 0.0) -> bool:
        """Return whether *value* reaches the goal, beside the figure *other* of the variant compared with."""
        bound = self.goal + (other if self.than else 0.0)
        return value <= bound if self.lower else value >= bound


def _drift() -> list[Goal]:
    kinds = ("fix fails now", "others do otherwise", "tool renamed", "arguments changed")
    flipped = [Goal(PLAIN, f"B10 drift, {kind} | ALL", "flipped", 1.0) for kind in kinds]
    after = [
        Goal(PLAIN, f"B10 drift, {kind} | {old} old", "flips_after", most, lower=True) for kind in kinds for old, most in ((5, 4), (20, 10))
    ]
    return flipped + after


GOALS: tuple[Goal, ...] = (
    Goal(PLAIN, "B1 same-task paraphrase | MACRO", "mrr", 0.955),
    Goal(PLAIN, "B2 replay paraphrase | ALL", "reward1", 0.93),
    Goal(PLAIN, "B3 next-tool repeat, next step worked | MACRO", "hit1", 0.61),
    Goal(PLAIN, "B3 next-tool transfer, next step worked | MACRO", "hit1", 0.50),
    Goal(PLAIN, "B3 next-tool repeat, next step failed | ALL", "endorsed1", 0.42, lower=True),
    Goal(PLAIN, "B3 next-tool transfer, next step failed | ALL", "endorsed1", 0.50, lower=True),
    Goal(PLAIN, "B4 recovery (switch only) | ALL", "hit3", 0.78),
    Goal(PLAIN, "B5 right file repeat | ALL", "hit5", 0.68),
    Goal(PLAIN, "B6 outcome | ALL", "auc", 0.89),
    Goal(PLAIN, "B7 right actions top-1 | ALL", "exact_recall", 0.65),
    Goal(PLAIN, "B8 right file, bug unknown | ALL", "hit5", 0.36),
    Goal(PLAIN, "B9 unrelated request | ALL", "silent", 0.90),
    Goal(PLAIN, "recall default | ALL", "answered", 0.97),
    Goal(PLAIN, "recall default | ALL", "tokens", 700, lower=True),
    Goal(PLAIN, "calibration after a failed step, repeat | ALL", "error", 0.08, lower=True),
    Goal(PLAIN, "calibration after a failed step, transfer | ALL", "error", 0.08, lower=True),
    *_drift(),
    *(Goal(PLAIN, f"B11 same task in {language} | ALL", "hit1", 0.93) for language in LANGUAGES),
    Goal(PLAIN, "R locomo | ALL", "recall10", 0.67),
    Goal(PLAIN, "R stabletoolbench | ALL", "recall5", 0.77),
    Goal(PLAIN, "R metatool | ALL", "recall1", 0.84),
    Goal("free", "B3 next-tool repeat | MACRO", "hit1", -0.03, than="tools"),
    Goal("free", "B3 next-tool repeat | MACRO", "hit3", -0.03, than="tools"),
    Goal("free", "B3 next-tool transfer | MACRO", "hit1", -0.03, than="tools"),
    Goal("free", "B4 recovery | ALL", "hit3", -0.03, than="tools"),
    Goal("bare", "B3 next-tool repeat | MACRO", "hit1", 0.63),
    Goal("bare", "B3 next-tool transfer | MACRO", "hit1", 0.45),
    Goal("bare", "B4 recovery (switch only) | ALL", "hit1", 0.40),
    Goal("bare", "B4 recovery (switch only) | ALL", "hit3", 0.74),
    Goal("bare", "B6 outcome | ALL", "brier", 0.105, lower=True),
    Goal("crowd", "B1 same-task paraphrase | MACRO", "mrr", 0.92),
    Goal("crowd", "B1 same-task paraphrase | MACRO", "recall5", 0.85),
    Goal("crowd", "B2 replay paraphrase | ALL", "reward1", 0.90),
    Goal("noisy", "B2 replay paraphrase | ALL", "reward1", 0.80),
    Goal("noisy", "B6 outcome | ALL", "brier", 0.14, lower=True),
)
