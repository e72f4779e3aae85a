"""What answered an error of a typed tool (a database, a browser, an API) is told when it comes again, through the facade on real files."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer

pytestmark = pytest.mark.anyio
Step = Mapping[str, Any]


def call(tool: str, observation: Any = "done", error: str | None = None, **arguments: Any) -> Step:
    return {"tool": tool, "arguments": arguments, "observation": observation, "error": error}


NO_COLUMN = 'ERROR: column "user_id" does not exist'
COOKIES = "TimeoutError: locator.click: Timeout 30000ms exceeded. <div class='cookie-banner'> intercepts pointer events"
FORBIDDEN = 'Error from server (Forbidden): deployments.apps is forbidden: User "ci" cannot create resource "deployments"'
TOO_LARGE = {"error": "page_size must be at most 100", "status": 422}


async def attempt(memory: EpisodicMemory, task: str, *steps: Step, lessons: Sequence[str] = (), outcome: str = "success") -> None:
    started = await memory.start_episode(task, recall=False)
    for step in steps:
        await memory.log_step(started.episode_id, **step)
    await memory.complete_episode(started.episode_id, outcome, lessons=lessons)
    await memory.settle()


async def advised(memory: EpisodicMemory, task: str, failed: Step) -> str:
    """Return what is advised after a failure, without the label and the source."""
    started = await memory.start_episode(task, recall=False)
    await memory.log_step(started.episode_id, **failed)
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id))).partition("\n")[2].rpartition(" [")[0]


async def test_a_statement_put_right_is_told_by_what_stands_instead_of_what_the_error_names(memory: EpisodicMemory) -> None:
    await attempt(
        memory,
        "How many customers bought twice in March?",
        call("run_query", error=NO_COLUMN, sql="select user_id, count(*) from orders where month = 3 group by user_id"),
        call("describe_table", "customer_ref, placed_at, total", table="orders"),
        call("run_query", "212 rows", sql="select customer_ref, count(*) from orders group by customer_ref having count(*) > 1"),
    )
    failed = call("run_query", error=NO_COLUMN, sql="select user_id from orders group by user_id having count(*) > 5")
    told = await advised(memory, "Which customers ordered more than five times?", failed)
    assert told == "After this very error run_query sql=…customer_ref… instead of sql=…user_id… went through"
    said = f"run_query failed with “{NO_COLUMN}”: sql=…customer_ref… went through, sql=…user_id… did not"
    assert said in recall_text(answer(await memory.recall(NO_COLUMN)))


@pytest.mark.parametrize(
    ("failed", "answer_to_it", "again", "said"),
    [
        pytest.param(
            call("browser_click", error=COOKIES, selector="#reserve"),
            call("browser_click", "clicked", selector=".cookie-banner button.accept"),
            call("browser_click", error=COOKIES, selector="#reserve"),
            "browser_click(selector=.cookie-banner button.accept)",
            id="the same tool on another thing",
        ),
        pytest.param(
            call("kubectl_apply", error=FORBIDDEN, file="payments.yaml"),
            call("kubectl_create_rolebinding", name="ci-deployer", clusterrole="edit", ticket="OPS-731"),
            call("kubectl_apply", error=FORBIDDEN, file="search.yaml"),
            "kubectl_create_rolebinding(name=ci-deployer, clusterrole=edit, ticket)",
            id="another tool, with the values that the error is about and the names of the others",
        ),
    ],
)
async def test_the_call_that_answered_an_error_is_told_as_what_made_the_failed_one_work(
    memory: EpisodicMemory, failed: Step, answer_to_it: Step, again: Step, said: str
) -> None:
    await attempt(memory, "Deploy the payments service", failed, answer_to_it, {**failed, "error": None})
    assert await advised(memory, "Roll out the search service", again) == f"After this very error {said} made the call work"


async def test_an_answer_that_is_nothing_but_an_error_is_a_failure_and_its_limit_is_told(memory: EpisodicMemory) -> None:
    await attempt(
        memory,
        "Sync contacts from the CRM",
        call("crm_list_contacts", TOO_LARGE, page_size=500),
        call("crm_list_contacts", {"contacts": [1, 2], "error": None}, page_size=100),
    )
    told = await advised(memory, "Count all CRM contacts by country", call("crm_list_contacts", TOO_LARGE, page_size=1000))
    assert told == "After this very error crm_list_contacts page_size=100 instead of page_size=500 went through"


async def test_what_stood_between_a_failed_call_and_its_being_put_right_is_not_told_as_its_answer(memory: EpisodicMemory) -> None:
    failed = call("execute_cell", error="KeyError: 'date'", code="df = pd.read_csv('sales.csv')\ndf['date'] = pd.to_datetime(df['date'])")
    await attempt(
        memory,
        "Plot monthly revenue from sales.csv",
        failed,
        call("execute_cell", "Index(['Order Date', 'Revenue'])", code="df.columns"),
        call("execute_cell", "<Axes>", code="df['Order Date'] = pd.to_datetime(df['Order Date'])\ndf.groupby('Order Date').sum().plot()"),
    )
    told = await advised(memory, "Show revenue by week", call("execute_cell", error="KeyError: 'date'", code="df['date'].dt.week"))
    assert told == "After this very error execute_cell code=…Order Date… instead of code=…date… went through"


async def test_an_argument_that_was_added_is_told_by_its_name_and_what_did_not_help_is_not(memory: EpisodicMemory) -> None:
    refused = call("send_email", error="550 5.7.1 Sender not verified: digest@acme.io", to="list@acme.io", body="…")
    queued = call("send_email", "queued", to="list@acme.io", body="…", sender="news@acme.io")
    await attempt(memory, "Send the weekly digest", refused, call("verify_sender", address="digest@acme.io"), refused, queued)
    said = recall_text(answer(await memory.recall("Send the weekly digest to all")))
    assert "send_email failed with “550 5.7.1 Sender not verified: digest@acme.io”: with sender=… it went through" in said


async def test_what_was_noted_about_an_error_is_told_when_one_like_it_comes_and_no_other_lesson(memory: EpisodicMemory) -> None:
    def push(tag: str) -> Step:
        return call(
            "bash", "", f"remote: error: GH006: Protected branch update failed for refs/tags/{tag}.", command=f"git push origin {tag}"
        )

    dispatched = call("bash", command="gh workflow run release.yml -f version=2.1")
    lessons = ["Keep the changelog short.", "Protected tags go through release.yml."]
    await attempt(memory, "Release version 2.1", push("v2.1"), dispatched, lessons=lessons)
    told = await advised(memory, "Publish release 2.2", push("v2.2"))
    assert told == "Noted by who got past such an error: Protected tags go through release.yml."


async def test_what_helped_once_and_no_longer_does_is_not_told_as_a_help(memory: EpisodicMemory) -> None:
    full = call("bash", "", "error: no space left on device", command="docker build .")
    prune, clear, built = (call("bash", command=line) for line in ("docker system prune -f", "rm -rf /var/cache/builds", "docker build ."))
    for number in range(2):
        await attempt(memory, f"Build image a{number}", full, prune, built)
    assert "`docker system prune -f` made the call work" in await advised(memory, "Build image c", full)
    for number in range(2):
        await attempt(memory, f"Build image b{number}", full, prune, full, clear, built)
    told = await advised(memory, "Build image d", full)
    assert told.splitlines()[0] == "After this very error bash `rm -rf /var/cache/builds` made the call work"
    assert "prune" not in told


async def test_what_a_failure_went_on_with_where_others_succeeded_is_not_told_as_what_made_a_call_work(memory: EpisodicMemory) -> None:
    task = "Move booking QX7T2L to the second of May"
    gone = "Error: flight HAT030 not available on date 2024-05-13"
    tried, other = (
        call("update_booking", error=error, id="QX7T2L", flights=flights) for flights, error in (("HAT030", gone), ("HAT052", None))
    )
    await attempt(memory, task, tried, other, outcome="failure")
    assert "HAT052" in await advised(memory, task, tried)
    await attempt(memory, task, tried, call("transfer_to_human", reason="no flight"))
    assert "made the call work" not in await advised(memory, task, tried)


@pytest.mark.parametrize(
    "edits",
    [
        {"path": "api/main.py", "edits": [{"oldText": "app = API()", "newText": "app = API()\napp.include(health)"}]},
        {"replacements": [{"filePath": "api/main.py", "oldString": "app = API()", "newString": "app = API()\napp.include(health)"}]},
        {"TargetFile": "api/main.py", "TargetContent": "app = API()", "ReplacementContent": "app = API()\napp.include(health)"},
    ],
)
async def test_an_edit_is_read_in_every_shape_that_hosts_and_servers_give_it(memory: EpisodicMemory, edits: Mapping[str, Any]) -> None:
    await attempt(memory, "Add a health endpoint", call("edit_file", **edits))
    assert "changed api/main.py: + app.include(health)" in recall_text(answer(await memory.recall("Add a health endpoint")))


async def test_an_answer_with_an_error_and_something_else_is_what_its_agent_says_it_is(memory: EpisodicMemory) -> None:
    started = await memory.start_episode("Import the rows", recall=False)
    for step in (call("import_rows", {"error": "2 rows skipped", "rows": 40}), {**call("import_rows", TOO_LARGE), "status": "ok"}):
        await memory.log_step(started.episode_id, **step)
    episode = (await memory.get_episode(started.episode_id, detail="steps")).episode
    assert [step.failed for step in episode.steps] == [False, False]


async def test_quotes_that_a_tool_takes_for_a_part_of_the_name_are_warned_of_before_and_after_the_call(memory: EpisodicMemory) -> None:
    for town in ("Lisbon", "Porto", "Braga", "Faro"):
        missed = call("search", "", f'Could not find ["{town}"]', query=f'"{town}"')
        await attempt(memory, f"Which river flows through {town}?", missed, call("search", query=town))
    said = "search with `query` in quotes failed in 4 of 4 earlier calls like it; without the quotes it worked in 4 of 4"
    missed = call("search", "", 'Could not find ["Coimbra"]', query='"Coimbra"')
    assert said in await advised(memory, "Where was the poet born?", missed)
    started = await memory.start_episode("Where was the painter born?", recall=False)
    intended = {"tool": "search", "arguments": {"query": '"Evora"'}}
    assert said in next_step_text(answer(await memory.suggest_next_step(started.episode_id, intended=intended)))
    bare = {"tool": "search", "arguments": {"query": "Evora"}}
    assert "in quotes" not in next_step_text(answer(await memory.suggest_next_step(started.episode_id, intended=bare)))


BAD_START = "ValidationError: 1 validation error for Event\nstart\n  Input should be a valid date [type=date_type, input_value='{}']"


async def test_an_argument_that_a_schema_refused_is_told_by_its_name_with_what_went_through(memory: EpisodicMemory) -> None:
    await attempt(
        memory,
        "Book a call with Dana",
        call("create_event", error=BAD_START.format("tomorrow at 3"), title="Call Dana", start="tomorrow at 3"),
        call("create_event", "confirmed", title="Call Dana", start="2026-12-01T15:00"),
    )
    failed = call("create_event", error=BAD_START.format("friday noon"), title="Lunch with Omar", start="friday noon")
    told = await advised(memory, "Put a lunch with Omar into the diary", failed)
    assert told == "After this very error create_event start=2026-12-01T15:00 instead of start=tomorrow at 3 went through"
    assert "Event: start: Input should be a valid date" in recall_text(answer(await memory.recall("start: Input should be a valid date")))


async def test_a_name_that_an_error_calls_unknown_is_told_with_the_spelling_that_went_through(memory: EpisodicMemory) -> None:
    missing = "Service light.turn_on: entity light.livingroom not found"
    await attempt(
        memory,
        "Switch on the lights in the living room",
        call("call_service", error=missing, service="light.turn_on", entity="light.livingroom"),
        call("get_states", "light.living_room_main, light.kitchen", domain="light"),
        call("call_service", service="light.turn_on", entity="light.living_room_main"),
    )
    failed = call("call_service", error=missing, service="light.turn_on", entity="light.livingroom", brightness=40)
    told = await advised(memory, "Dim the lamps where we watch films", failed)
    assert told == "After this very error call_service entity=light.living_room_main instead of entity=light.livingroom went through"


async def test_another_record_that_was_found_is_not_told_as_the_right_spelling_of_one_that_was_not(memory: EpisodicMemory) -> None:
    missing = "no such user: user_17"
    await attempt(
        memory,
        "Read the limits of a user",
        call("get_user", error=missing, id="user_17", fields="limits"),
        call("get_user", "limits: 3", id="user_18", fields="limits"),
    )
    failed = call("get_user", error=missing, id="user_17", fields="orders")
    assert "user_18" not in await advised(memory, "How much may this user order?", failed)


async def test_what_alone_was_done_before_a_failed_call_worked_is_told_by_the_names_of_its_arguments(memory: EpisodicMemory) -> None:
    missing = "ElementNotFound: selector #invoice_no not found within 5000 ms"
    typed = call("rpa_type", error=missing, selector="#invoice_no", text="4711")
    switched = call("rpa_switch_frame", frame="mainFrame")
    await attempt(memory, "Enter the invoice of Acme", typed, switched, {**typed, "error": None})
    failed = call("rpa_type", error=missing, selector="#invoice_no", text="9320")
    assert await advised(memory, "Key in what Umbrella sent", failed) == "After this very error rpa_switch_frame(frame) made the call work"


async def test_an_argument_that_has_another_name_is_told_by_both_names_and_no_value(memory: EpisodicMemory) -> None:
    refused = "ServiceValidationError: extra keys not allowed @ data['brightness_percent']"
    for room, share in (("kitchen", 50), ("office", 70)):
        failed = call("set_light", error=refused, entity_id=f"light.{room}", brightness_percent=share)
        await attempt(memory, f"Dim the {room} light", failed, call("set_light", entity_id=f"light.{room}", brightness_pct=share))
    told = await advised(
        memory, "The bed lamp is too bright", call("set_light", error=refused, entity_id="light.bed", brightness_percent=20)
    )
    assert told == "After this very error set_light brightness_pct instead of brightness_percent went through"


async def test_a_number_within_an_argument_that_became_the_one_its_error_names_is_told(memory: EpisodicMemory) -> None:
    def pay(amount: int, total: int, name: str) -> Step:
        error = None if amount == total else f"the payment does not add up, the total is {total}, but paid {amount}"
        return call("pay_order", error=error, order=name, methods=[{"by": "card", "amount": amount}])

    for name, total in (("A", 608), ("B", 417)):
        await attempt(memory, f"Pay order {name} of the ferry office", pay(total // 2, total, name), pay(total, total, name))
    told = await advised(memory, "Pay the tickets of the harbour choir", pay(250, 1000, "C"))
    assert "give `methods.amount` a value that the error names" in told


async def test_what_was_put_right_is_told_when_an_error_in_other_words_names_the_same(memory: EpisodicMemory) -> None:
    unknown = "Error 1054: Unknown column 'total' in '{}'"
    await attempt(
        memory,
        "What is the score of team Red?",
        call("run_query", error=unknown.format("field list"), sql="select total from olympics where team = 'Red'"),
        call("run_query", "17", sql="select total_points from olympics where team = 'Red'"),
    )
    failed = call("run_query", error=unknown.format("order clause"), sql="select team from olympics order by total desc limit 1")
    told = await advised(memory, "Who is the best team?", failed)
    assert told.endswith("run_query sql=…total_points… instead of sql=…total… went through")
    other = call("run_query", error=unknown.replace("total", "medals").format("order clause"), sql="select medals from olympics")
    assert "total_points" not in await advised(memory, "Who won most?", other)


async def test_each_of_two_errors_that_followed_each_other_is_answered_by_what_put_it_right(memory: EpisodicMemory) -> None:
    no_centre, no_point = "Required field 'cost_centre' is missing", "Amount takes a decimal point"
    given = {"supplier": "K-1007", "amount": "1.190,00"}
    refused, again = call("enter", error=no_centre, **given), call("enter", error=no_point, **given, cost_centre="4400")
    entered = call("enter", supplier="K-1007", amount="1190.00", cost_centre="4400")
    await attempt(memory, "Enter the invoice of Miller", refused, again, entered)
    here = {"supplier": "K-2001", "amount": "250,00"}
    told = await advised(memory, "Pay the rent of the shop", call("enter", error=no_centre, **here))
    assert told == "After this very error enter cost_centre=… instead of no cost_centre went through"
    told = await advised(memory, "Pay for the lamps", call("enter", error=no_point, **here, cost_centre="4400"))
    assert told == "After this very error enter amount=1190.00 instead of amount=1.190,00 went through"


async def test_several_arguments_that_an_error_names_are_told_together(memory: EpisodicMemory) -> None:
    refusal = "team: Team is required; priority: unknown priority"
    created = call("create_issue", project="MOB", title="Login fails", priority="high", team="mobile")
    await attempt(
        memory, "File the bug", call("create_issue", error=refusal, project="MOB", title="Login fails", priority="urgent"), created
    )
    told = await advised(memory, "Tell them", call("create_issue", error=refusal, project="WEB", title="Crash", priority="urgent"))
    assert told == "After this very error create_issue priority=high team=mobile instead of priority=urgent no team went through"


async def test_what_was_written_to_somebody_is_told_of_no_other_case(memory: EpisodicMemory) -> None:
    post, join = call("post", error="not_in_channel", channel="#mobile", text="MOB-412 is filed"), call("join", channel="#mobile")
    await attempt(memory, "File the bug and post it", post, join, call("post", channel="#mobile", text="MOB-412 is filed"))
    told = recall_text(answer(await memory.recall("chat not_in_channel")))
    assert "post(channel, text) failed with “not_in_channel” and worked after join(channel)" in told
