"""What the agent is asked to do. A later task is worded differently from the earlier one whose lesson it needs."""

from dataclasses import dataclass, field

from mcp_memory.cli.demo.workspace import Edit, Move, Read, Run

FLOAT_SUM = "sum(float(price) for price in prices)"
FLOAT_DUE = "sum(quantity * float(unit_price) for quantity, unit_price in lines)"


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves, and the word that must be in what was recalled for the agent to choose them ("" is the plan without memory)."""

    needs: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do, and what the agent says about it in the end."""

    text: str
    task_type: str
    domain: str
    plans: tuple[Plan, ...]
    outcome: str
    summary: str
    lessons: tuple[str, ...] = ()
    asks: bool = False  # whether the agent asks for the next step after a failure
    expects: str = field(default="")  # the words of the earlier task that should be recalled first, for --json readers and the test


def _plan(*moves: Move) -> tuple[Plan, ...]:
    return (Plan("", moves),)


PRICING_TEST = Run(("-m", "unittest", "-q", "tests.test_pricing"))
PEOPLE_TEST = Run(("-m", "unittest", "-q", "tests.test_people"))
INVOICE_TEST = Run(("-m", "unittest", "-q", "tests.test_invoice"))

FIRST_DAY = (
    Task(
        text="Fix the failing pricing test: three items of 0.10 must cost exactly 0.30",
        task_type="debugging",
        domain="pricing",
        plans=_plan(
            PRICING_TEST,
            Read("shop/pricing.py"),
            Edit("shop/pricing.py", FLOAT_SUM, f"round({FLOAT_SUM}, 2)"),
            PRICING_TEST,
            Edit("shop/pricing.py", f"return round({FLOAT_SUM}, 2)", "from decimal import Decimal\n    return sum(map(Decimal, prices))"),
            PRICING_TEST,
        ),
        outcome="success",
        summary="Prices are summed as Decimal; rounding the float sum was not enough.",
        lessons=("Sum money with Decimal built from strings; rounding a float sum still fails equality.",),
    ),
    Task(
        text="Run the report tool and tell me the total it prints",
        task_type="operations",
        domain="reporting",
        plans=_plan(Run(("tools/report.py",)), Run(("-m", "tools.report"))),
        outcome="success",
        summary="The report ran as a module from the project's root.",
        lessons=("Run a script of this project as a module from the root, python -m tools.report; as a file it cannot import shop.",),
    ),
    Task(
        text="Load the customer names that the old system exported, accents included",
        task_type="debugging",
        domain="data import",
        plans=_plan(
            PEOPLE_TEST,
            Edit("shop/people.py", "encoding='utf-8'", "encoding='utf-8', errors='ignore'"),
            PEOPLE_TEST,
            Edit("shop/people.py", "encoding='utf-8', errors='ignore'", "encoding='latin-1'"),
            PEOPLE_TEST,
        ),
        outcome="success",
        summary="The old exports are latin-1, not UTF-8.",
        lessons=("Files of the old system are latin-1: open them with encoding='latin-1'; errors='ignore' loses letters.",),
    ),
    Task(
        text="Make repeated price lookups faster with a cache",
        task_type="refactoring",
        domain="pricing",
        plans=_plan(
            Edit("shop/pricing.py", "def total(prices):", "from functools import lru_cache\n\n\n@lru_cache\ndef total(prices):"),
            PRICING_TEST,
            Edit("shop/pricing.py", "from functools import lru_cache\n\n\n@lru_cache\ndef total(prices):", "def total(prices):"),
        ),
        outcome="failure",
        summary="lru_cache cannot take a list; the change was taken back.",
        lessons=("lru_cache needs hashable arguments: callers of total pass lists.",),
    ),
)

SECOND_DAY = (
    Task(
        text="Invoice prices come out off by a tiny fraction of a cent. Make the arithmetic exact",
        task_type="debugging",
        domain="billing",
        plans=(
            Plan(
                "Decimal",
                (
                    INVOICE_TEST,
                    Edit(
                        "shop/invoice.py",
                        f"return {FLOAT_DUE}",
                        "from decimal import Decimal\n    return sum(quantity * Decimal(unit_price) for quantity, unit_price in lines)",
                    ),
                    INVOICE_TEST,
                ),
            ),
            Plan("", (INVOICE_TEST, Edit("shop/invoice.py", FLOAT_DUE, f"round({FLOAT_DUE}, 2)"), INVOICE_TEST)),
        ),
        outcome="success",
        summary="Amounts are computed as Decimal.",
        lessons=("Invoices, too: Decimal from strings, never floats.",),
        asks=True,
        expects=FIRST_DAY[0].text,
    ),
    Task(
        text="The nightly job dies while it reads the list of suppliers, some of which have umlauts in their names",
        task_type="operations",
        domain="jobs",
        plans=(
            Plan(
                "latin-1",
                (
                    Run(("jobs/nightly.py",)),
                    Run(("-m", "jobs.nightly")),
                    Edit("shop/suppliers.py", "encoding='utf-8'", "encoding='latin-1'"),
                    Run(("-m", "jobs.nightly")),
                ),
            ),
            Plan("", (Run(("jobs/nightly.py",)), Run(("-m", "jobs.nightly")))),
        ),
        outcome="success",
        summary="The job runs as a module and reads latin-1.",
        lessons=("The supplier list is latin-1, as every file of the old system.",),
        asks=True,
        expects=FIRST_DAY[2].text,
    ),
)
PLAYBOOK_TASK = "The tests of prices and invoices fail: amounts must be exact to the cent"
