from mcp_memory.embedding.circuit_breaker import CircuitBreaker


def breaker_at(now_s: list[float]) -> CircuitBreaker:
    return CircuitBreaker(lambda: now_s[0])


def test_it_is_closed_at_first() -> None:
    assert breaker_at([0.0]).refusal() == ""


def test_a_failure_refuses_with_its_reason_until_the_pause_is_over() -> None:
    now_s = [100.0]
    breaker = breaker_at(now_s)
    breaker.failed("HTTP 503")
    assert breaker.refusal() == breaker.reason == "HTTP 503"
    now_s[0] = 105.0
    assert breaker.refusal() == ""


def test_only_one_caller_tries_after_the_pause() -> None:
    now_s = [0.0]
    breaker = breaker_at(now_s)
    breaker.failed("down")
    now_s[0] = 5.0
    assert [breaker.refusal() for _ in range(3)] == ["", "down", "down"]
    breaker.succeeded()
    assert breaker.refusal() == breaker.reason == ""


def test_the_pause_doubles_up_to_five_minutes() -> None:
    now_s, pauses_s = [0.0], []
    breaker = breaker_at(now_s)
    for _ in range(9):
        breaker.failed("down")
        start_s = now_s[0]
        while breaker.refusal():
            now_s[0] += 1
        pauses_s.append(now_s[0] - start_s)
    assert pauses_s == [5, 10, 20, 40, 80, 160, 300, 300, 300]
