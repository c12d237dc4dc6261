"""A thousand requests that went wrong, sent to a real server over real connections: each is answered, and good ones still are afterwards."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from bad_requests import Sent, is_well_answered, requests
from hypothesis import given, settings
from small_models import INPUTS, a_candidate, some_rows, start_server

from poc.rules.oip import infer_request
from poc.tools import frames

pytestmark = [pytest.mark.server, pytest.mark.slow]
NAME = "stop-bad-parts"
GOOD = Sent(infer_request(frames.columns(some_rows(1), INPUTS), INPUTS), f"/v2/models/{NAME}/infer")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("served")
    process, port = start_server(a_candidate(folder / "candidate"), folder)
    yield port
    process.terminate()
    said, _ = process.communicate(timeout=10)
    assert (process.returncode, said) == (0, b"")  # it lived to be stopped, and raised nothing that it would have had to log


def told(connection: http.client.HTTPConnection, sent: Sent) -> tuple[int, bytes]:
    connection.request(sent.method, quote(sent.path, errors="replace"), sent.body, sent.headers)
    response = connection.getresponse()
    return response.status, response.read()


def test_a_thousand_requests_that_went_wrong_are_answered_and_so_is_a_good_one_afterwards(port: int) -> None:
    statuses: Counter[int] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    @settings(max_examples=1000)
    @given(requests(NAME, INPUTS))
    def each_is_answered(sent: Sent) -> None:
        status, body = told(connection, sent)
        statuses[status] += 1
        assert sent.method == "HEAD" or is_well_answered(status, body)

    each_is_answered()
    assert statuses.total() == 1000 and statuses[400] > 500 and statuses[200] > 50
    assert told(connection, GOOD)[0] == 200
    connection.close()
