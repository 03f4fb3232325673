import asyncio
import weakref

from router.transports.base import FirstAnswer


async def test_the_first_of_several_requests_that_is_done_is_the_first_answer() -> None:
    first_answer = FirstAnswer()
    loop = asyncio.get_running_loop()
    one: asyncio.Future[int] = loop.create_future()
    other: asyncio.Future[int] = loop.create_future()
    first_answer.expect_from(one)
    first_answer.expect_from(other)
    assert not first_answer.has_arrived()
    other.set_result(1)
    assert first_answer.has_arrived()


async def test_it_keeps_no_answer_alive_once_it_has_arrived() -> None:
    first_answer = FirstAnswer()
    request: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    is_alive = weakref.ref(request)
    first_answer.expect_from(request)
    request.set_result(1)
    first_answer.arrive()
    first_answer.expect_from(request)
    del request
    assert is_alive() is None
    assert first_answer.has_arrived()
