"""Secrets are masked in everything that is shown."""

from __future__ import annotations

from typing import Any

import pytest

from q2mfa_cli.platform.masking import MASK, mask, mask_queries, mask_url


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"token": "abc"}, {"token": f"{MASK} (3 characters)"}),
        ({"passcode": 123456, "exit": True, "nothing": None}, {"passcode": MASK, "exit": True, "nothing": None}),
        ({"purpose": ["Request: login"]}, {"purpose": ["Request: login"]}),
        ({"data": {"status": 200, "codes": ["a", "bc"]}},
         {"data": {"status": 200, "codes": [f"{MASK} (1 characters)", f"{MASK} (2 characters)"]}}),
        ({"url": "https://u:p@h/p?code=x&state=y#t"}, {"url": f"https://h/p?code={MASK}&state={MASK}"}),
        ("https://[", MASK),
        ("plain", f"{MASK} (5 characters)"),
    ],
)  # fmt: skip
def test_mask_hides_all_but_named_fields(value: Any, expected: Any) -> None:
    assert mask(value) == expected
    assert mask(expected) == expected


def test_mask_url_keeps_address_without_query() -> None:
    assert mask_url("http://127.0.0.1:1/a") == "http://127.0.0.1:1/a"


def test_mask_queries_hides_queries_in_log_line() -> None:
    line = "404 GET /verify.html?code=secret&state=x (127.0.0.1) 1ms '/a?b=c'"
    assert mask_queries(line) == f"404 GET /verify.html?{MASK} (127.0.0.1) 1ms '/a?{MASK}'"
