"""Every bound, in one place, with its reason. Over a bound the call is refused; nothing is cut in silence."""

MAX_TASK_CHARS = 20_000  # the longest issue text in the public trajectory sets is under 12,000
MAX_QUERY_CHARS = 20_000  # a query is often a whole task
MAX_NAME_CHARS = 200  # tool, action, domain, language, framework, agent, project, label
MAX_ID_CHARS = 200  # our ids have 36; external ids are free text
MAX_TAGS = 50
MAX_TAG_CHARS = 100
MAX_OBSERVATION_CHARS = 100_000  # a test log; more belongs into a file named in `artifacts`
MAX_ERROR_CHARS = MAX_OBSERVATION_CHARS  # many agents give all that a failed call printed as its error
MAX_ARGUMENTS_BYTES = 100_000  # as JSON
MAX_JSON_DEPTH = 100  # what is written near a reader's recursion limit could not be read back from a deeper stack
MAX_METADATA_BYTES = 20_000  # as JSON
MAX_NOTE_CHARS = 5_000  # summary, note, reason
MAX_LIST_ITEMS = 100  # lessons, artifacts, completed, failed
MAX_LIST_ITEM_CHARS = 2_000
MAX_PATH_CHARS = 4_096  # of a file named on the command line
MAX_SUGGESTIONS = 20
MAX_PLAYBOOK_STEPS = 50
MAX_STEPS_PER_CALL = 100  # log_steps
MAX_STEPS_PER_EPISODE = 5_000  # completion judges the whole episode in one transaction
MAX_RECALL_LIMIT = 50
MAX_SEARCH_LIMIT = 200
MAX_BUDGET_TOKENS = 50_000
MIN_BUDGET_TOKENS = 50
MAX_RESULT_CHARS = 20_000  # one tool answer; hosts cut or spill beyond about 25,000 tokens
MAX_RELATED_DEPTH = 5
MAX_INT = 2**53 - 1  # the largest integer every JSON reader keeps exactly
