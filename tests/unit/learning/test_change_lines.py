"""Which lines of a change are told, and how they are cut."""

from dataclasses import replace

from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.learning.reading.change_lines import change_line
from mcp_memory.learning.reading.edits import GAP, Hunk
from mcp_memory.learning.reading.left_changed import FileChange


def line(
    *hunks: Hunk,
    task: str = "The voucher is not taken off",
    max_chars: int = 200,
    path: str = "shop/cart.py",
    shared: frozenset[str] = frozenset(),
) -> str:
    return change_line(FileChange(path, 0, hunks), frozenset(distinct_words(task)), max_chars, shared)


def hunk(removed: str, added: str, at: int = 0) -> Hunk:
    return Hunk(at, tuple(removed.splitlines()), tuple(added.splitlines()))


def test_one_line_for_another_is_told_with_both() -> None:
    assert line(hunk("    return total", "    return round(total, 2)", 7)) == "shop/cart.py:7: - return total + return round(total, 2)"


def test_code_is_told_before_a_docstring_and_a_docstring_alone_not() -> None:
    prose = hunk("", "    Return the total of the cart (as usual), or None.\n    total : int\n        The total of all.", 3)
    assert line(prose) == ""
    assert line(prose, hunk("", "    cents = sum(self.cents)", 9)) == "shop/cart.py:9: + cents = sum(self.cents)"


def test_of_several_places_the_one_nearest_the_task_is_told() -> None:
    first, near = hunk("", "import decimal\nx = decimal.Decimal(1)", 1), hunk("", "total = voucher.taken(total)", 40)
    assert line(first, near).startswith("shop/cart.py:40: + total = voucher.taken(total)")


def test_old_lines_around_the_new_ones_are_not_told_as_new() -> None:
    moved = hunk("a = 1\nb = 2", "a = 1\nc = 3\nb = 2", 5)
    assert line(moved) == "shop/cart.py:6: + c = 3"
    assert line(hunk("", "a = 1", 3), hunk("a = 1\nb = 2", "c = 3", 9)) == "shop/cart.py:9: - b = 2 + c = 3; 3: moved here: a = 1"


def test_what_stands_between_new_lines_is_told_with_them() -> None:
    wrapped = hunk("return f(a)", "if a:\n    return f(a)\nreturn g(a)", 5)
    assert line(wrapped) == "shop/cart.py:5: + if a: ⏎ return f(a) ⏎ return g(a)"


def test_where_lines_were_only_moved_to_the_side_that_is_said() -> None:
    assert line(hunk("        return total(a)", "    return total(a)", 7)) == "shop/cart.py:7: moved 4 columns to the left: return total(a)"


def test_a_long_line_is_cut_around_what_differs() -> None:
    same = "value = some_module.some_function(first_argument, second_argument, third_argument, fourth_argument, "
    told = line(hunk(f"{same}rounding=None)", f"{same}rounding=HALF_EVEN)"))
    assert "rounding=None)" in told
    assert "rounding=HALF_EVEN)" in told
    assert len(told) <= 200


def test_lines_are_told_from_just_before_the_nearest_where_it_lies_beyond() -> None:
    added = "\n".join([*(f"unrelated_{i} = call_number_{i}(argument_{i})" for i in range(9)), "total = voucher.taken(total)"])
    told = line(hunk("", added, 20))
    assert told.startswith("shop/cart.py:28: + … ⏎ unrelated_8")
    assert told.endswith("total = voucher.taken(total)")


def test_of_files_without_comments_every_line_tells() -> None:
    assert line(hunk("color: red", "color: dark blue", 2), path="a.css") == "a.css:2: - color: red + color: dark blue"


def test_where_a_name_comes_from_is_told_last() -> None:
    names, use = hunk("from a import b", "from a import b, voucher", 1), hunk("", "total = b(total)", 40)
    assert line(names, use) == "shop/cart.py:40: + total = b(total); 1: - from a import b + from a import b, voucher"


def test_arguments_in_a_row_are_no_sentence() -> None:
    assert line(hunk("", "return '%s' % (theta, theta, theta)", 7)) == "shop/cart.py:7: + return '%s' % (theta, theta, theta)"


def test_a_line_that_was_moved_to_the_side_is_told_beside_what_went() -> None:
    outdented = hunk("    for a in b:\n        x(a)\n        total = 0\n        return a", "    for a in b:\n        x(a)\n    return a", 5)
    assert line(outdented) == "shop/cart.py:7: - total = 0; moved 4 columns to the left: return a"
    within = hunk("    x(a)\n    return a", "    if a:\n        x(a)\n    return a", 5)
    assert line(within) == "shop/cart.py:5: + if a: ⏎ x(a)", "what a new block takes in moves with it"


def test_of_a_block_that_was_replaced_the_line_like_the_nearest_new_one_is_told() -> None:
    old = "rates = load()\nprint(rates)\nlog(rates)\nvoucher = self.voucher.value"
    assert line(hunk(old, "voucher = self.voucher.value or 0", 9)) == (
        "shop/cart.py:9: - … ⏎ voucher = self.voucher.value + voucher = self.voucher.value or 0"
    )


def test_the_bullets_of_a_docstring_are_no_code() -> None:
    assert line(hunk("    - If int, then draw `max_samples` samples.\n    - If float, then `n * X.shape[0]`.", "")) == ""


def test_lines_that_may_have_stood_there_before_are_not_told_as_new() -> None:
    assert line(Hunk(7, (), ("    return round(total, 2)",), is_sure=False)) == "shop/cart.py:7: now return round(total, 2)"


def test_of_lines_that_went_the_first_that_is_told_has_its_own_number() -> None:
    method = hunk("    def f(self):\n        if a:\n            a += 1\n        return a", "def f(self):\n    return a", 851)
    assert line(method).startswith("shop/cart.py:852: - if a:")


def test_lines_between_which_code_was_left_out_are_not_told_as_neighbours() -> None:
    assert line(hunk("a = f(b)\nc = g(a)\nd = h(c)", "c = g(a)\nc = k(c)", 7)) == "shop/cart.py:8: - a = f(b) ⏎ … ⏎ d = h(c) + c = k(c)"


def test_of_many_lines_that_went_it_is_said_that_more_did() -> None:
    assert line(hunk("if a < 7:\n    b += 2\nelse:\n    b += 1", "b += 2 if a < 9 else 1", 9)) == (
        "shop/cart.py:9: - if a < 7: ⏎ b += 2 ⏎ … + b += 2 if a < 9 else 1"
    )


def test_texts_in_a_list_or_among_arguments_are_code() -> None:
    assert line(hunk('    "django.staticfiles",', '    "core",', 39)) == 'shop/cart.py:39: - "django.staticfiles", + "core",'
    option = hunk("", '@click.option(\n    "--sort",\n    default="name",\n)', 9)
    assert line(option) == 'shop/cart.py:9: + @click.option( ⏎ "--sort", ⏎ default="name", ⏎ )'


def test_a_heading_that_went_or_came_is_told() -> None:
    renamed = hunk("def print_basic(self):", "def print_indexed(self):", 446)
    assert line(renamed) == "shop/cart.py:446: - def print_basic(self): + def print_indexed(self):"
    assert line(hunk("    def hash(self):", "", 79)) == "shop/cart.py:79: - def hash(self):"
    assert line(hunk("@_deco", "# TODO: look into it", 109)) == "shop/cart.py:109: - @_deco + a comment"


def test_places_that_are_not_told_are_counted_but_for_comments_and_blanks() -> None:
    first = hunk("", "total = voucher.taken(total)", 40)
    others = [hunk("else:", "", 50), hunk("", "# as usual", 60), hunk("", "", 70), hunk("a = 1", "a = 2", 80)]
    assert line(first, *others, max_chars=70) == "shop/cart.py:40: + total = voucher.taken(total); and 2 more places"
    assert line(first, *others) == "shop/cart.py:40: + total = voucher.taken(total); 80: - a = 1 + a = 2; 50: - else:"
    swapped = hunk("", "else:\n    b += 1", 3), hunk("else:\n    b += 1\na = 1", "a = 2", 9)
    assert line(*swapped) == "shop/cart.py:9: - a = 1 + a = 2; 3: moved here: else: ⏎ b += 1"


def test_a_whole_method_that_was_moved_to_the_side_is_told_so_whatever_else_changed_in_it() -> None:
    opened = hunk("    def f(self):\n        return a", "def f(self):\n    if b:\n        return b\n    return a", 309)
    assert line(opened) == "shop/cart.py:310: + if b: ⏎ return b; moved 4 columns to the left, out of its class: def f(self):"
    closed = hunk("    def f(self):\n        if a:\n            a += 1\n        return a", "def f(self):\n    return a", 851)
    assert line(closed).endswith("- if a: ⏎ a += 1; moved 4 columns to the left, out of its class: def f(self):")


def test_a_line_that_took_anothers_place_and_moved_is_told_with_both() -> None:
    assert line(hunk("        heap = Heap(k)", "heap = Heap(int(k))", 7)) == (
        "shop/cart.py:7: - heap = Heap(k) + heap = Heap(int(k)); moved 8 columns to the left"
    )


def test_what_a_preprocessor_or_a_compiler_is_told_is_code_and_so_is_every_line_of_a_style_sheet() -> None:
    assert line(hunk("", "#include <vector>", 1), path="a.cpp") == "a.cpp:1: + #include <vector>"
    assert line(hunk("", "#[derive(Clone)]", 4), path="a.rs") == "a.rs:4: + #[derive(Clone)]"
    assert line(hunk("#main { color: red }", "#main { color: blue }", 2), path="a.css").startswith("a.css:2: - #main")


def test_what_is_done_with_a_parameter_is_told_before_its_declaration_whose_remark_says_more_words() -> None:
    declared = hunk("", "    voucher: str = '',  # the voucher that is taken off, a voucher", 3)
    used = hunk("    return total(cart)", "    return total(cart, voucher)", 12)
    assert line(declared, used) == (
        "shop/cart.py:12: - return total(cart) + return total(cart, voucher); "
        "3: + voucher: str = '',  # the voucher that is taken off, a voucher"
    )


def test_a_deleted_line_for_which_there_is_room_is_told_and_not_only_counted() -> None:
    assert line(hunk("", "voucher = None", 3), hunk("found.add(path)", "", 9)) == "shop/cart.py:3: + voucher = None; 9: - found.add(path)"


def test_of_a_text_whose_old_lines_nobody_has_shown_the_lines_that_do_the_work_are_told() -> None:
    lines = [*(f"setting_{i} = prepare(argument_{i})" for i in range(9)), "if voucher is not None:", "    total -= voucher.amount"]
    told = line(replace(hunk("", "\n".join(lines), 20), is_sure=False))
    assert told.startswith("shop/cart.py:29: now … ⏎ if voucher is not None: ⏎ total -= voucher.amount")


def test_where_some_of_a_change_was_cut_out_of_the_log_that_is_said() -> None:
    cut = FileChange("shop/cart.py", 0, (hunk("", "voucher = None", 3),), is_whole=False)
    assert change_line(cut, frozenset(), 200) == "shop/cart.py:3: + voucher = None; as far as it was recorded"
    ended = FileChange("shop/cart.py", 0, (Hunk(3, ("a = f(b)",), (GAP,)),), is_whole=False)
    assert change_line(ended, frozenset(), 200) == "shop/cart.py:3: - a = f(b) ⏎ …; as far as it was recorded"


def test_of_a_block_that_is_opened_its_first_line_is_told_though_one_like_it_stood_there_before() -> None:
    before = "if self.has_table():\n    return\nmake()"
    guarded = hunk(before, f"if not voucher.allows(self):\n    return\n{before}", 3)
    assert line(guarded) == "shop/cart.py:3: + if not voucher.allows(self): ⏎ return"


def test_long_lines_are_cut_before_the_last_is_left_out_for_it_may_be_what_matters() -> None:
    messages = [f'print("Unrecognized option found: {word} of the voucher", file=sys.stderr)' for word in ("a long name", "another one")]
    told = line(hunk("", "\n".join([*messages, "sys.exit(32)"]), 84), max_chars=170)
    assert messages[0] in told
    assert told.endswith('of the voucher", file=sys.stderr) ⏎ sys.exit(32)')


def test_a_method_that_lost_its_indentation_is_told_to_have_left_its_class() -> None:
    before = "    def total(self):\n        return 2"
    assert line(hunk(before, before.replace("    ", "", 1).replace("        return 2", "    return 3"), 7)).endswith(
        "moved 4 columns to the left, out of its class: def total(self):"
    )
    nested = "        def total(self):\n            return 2"
    assert "class" not in line(hunk(nested, before, 7))


def test_of_a_long_line_every_part_that_differs_is_told() -> None:
    rest = "some_module.some_function(first_argument, second_argument, third_argument, fourth_argument, fifth_argument"
    told = line(hunk(f"if a and {rest}, out=None):", f"if a or {rest}, out=sys.stderr):"))
    went, came = told.removeprefix("shop/cart.py: - ").split(" + ")
    assert (went[:11], went[-10:]) == ("if a and so", "out=None):")
    assert (came[:11], came[-16:]) == ("if a or som", "out=sys.stderr):")


def test_a_new_line_that_is_too_long_is_cut_around_what_is_new_in_it() -> None:
    same = 'print("a message that says at length what is wrong with what was asked for and what can be done about it'
    told = line(hunk(f'{same}")', f'total = 0\n{same}", file=sys.stderr)', 7), max_chars=150)
    assert 'about it", file=sys.stderr)' in told


def test_what_attempts_that_ended_otherwise_left_too_is_told_last() -> None:
    near, other = hunk("", "total = voucher.taken(total)", 40), hunk("", "rate = 7", 60)
    assert line(near, other, max_chars=75) == "shop/cart.py:40: + total = voucher.taken(total); and 1 more place"
    told = line(near, other, max_chars=75, shared=frozenset(["total = voucher.taken(total)"]))
    assert told == "shop/cart.py:60: + rate = 7; and 1 more place"


def test_a_decorator_that_was_doubled_is_told_where_there_is_room() -> None:
    doubled = hunk("", "    @property", 278), hunk("    return 1", "    return 2", 281)
    assert line(*doubled) == "shop/cart.py:281: - return 1 + return 2; 278: + @property"


def test_an_else_that_came_is_told_though_another_place_lost_one() -> None:
    lost, came = hunk("else:\n    go()", "", 3), hunk("", "if a:\n    b = 1\nelse:\n    b = 2", 9)
    assert "9: + if a: ⏎ b = 1 ⏎ else: ⏎ b = 2" in line(lost, came)


def test_a_line_whose_comment_alone_is_another_is_no_change() -> None:
    assert line(hunk("a = 1  # one", "a = 1  # the first", 3)) == ""
    assert line(hunk("a = 1  # one\nb = 2", "a = 1  # the first\nb = 3", 3)) == "shop/cart.py:4: - b = 2 + b = 3"


def test_a_method_that_came_at_the_margin_is_told_as_out_of_its_class() -> None:
    told = line(hunk("", "total = 0\n\ndef taken(self):\n    return total", 3))
    assert told.endswith("; at the margin, out of its class: def taken(self):")
    assert "margin" not in line(hunk("", "total = 0\n\ndef taken(total):\n    return total", 3)), "no method"


def test_half_a_line_is_not_told_where_it_would_read_as_another() -> None:
    told = line(hunk("", "\n".join(f"voucher_{i} = taken_off(first_{i}, second_{i}, third_{i})" for i in range(9)), 3), max_chars=200)
    assert told.endswith("third_2) ⏎ …")
