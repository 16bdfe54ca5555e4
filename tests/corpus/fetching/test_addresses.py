"""Only web addresses are fetched, and none inside a private network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import SourceError
from corpus.fetching.addresses import is_public, resolve_host
from corpus.fetching.fetcher import Fetcher
from tests.corpus.fetching.refusals import refusal

NOWHERE = Fetcher(resolve=lambda *_: ["127.0.0.1"], delay_s=0)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://x.kw/a", "only http and https are fetched, not ftp"),
        ("x.kw/a", "only http and https are fetched, not an address without scheme"),
        ("http:///a", "it is not a web address: it names no host"),
        ("http://x.kw:port/", "it is not a web address: "),
        ("http://ann:secret@x.kw/", "an address with a user name or password is not fetched"),
    ],
)
def test_anything_but_a_web_address_is_refused(fetcher: Fetcher, url: str, reason: str) -> None:
    assert refusal(fetcher, url).startswith(reason)


def test_a_host_without_address_is_refused() -> None:
    with Fetcher(resolve=lambda *_: []) as fetcher:
        assert refusal(fetcher, "http://x.kw/") == "the host name cannot be found"
    with pytest.raises(SourceError, match="the host name cannot be found"):
        resolve_host("no such host.invalid", 80)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "rubbish",
    ],
)  # fmt: skip
def test_a_private_address_is_recognised_in_every_form(address: str) -> None:
    assert not is_public(address)
    with Fetcher(resolve=lambda *_: ["93.184.216.34", address]) as fetcher:
        assert refusal(fetcher, "http://x.kw/") == "x.kw is in a private network, which is not fetched from"


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_a_public_address_is_recognised(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url", ["http://localhost/", "http://127.1/", "http://0x7f.0.0.1/", "http://2130706433/", "http://[::1]/"]
)
def test_this_machine_is_refused_by_any_name(url: str) -> None:
    with Fetcher() as fetcher:
        assert refusal(fetcher, url).endswith("is in a private network, which is not fetched from")


@given(st.text(max_size=40))
def test_any_text_as_an_address_is_refused_with_a_reason(url: str) -> None:
    assert refusal(NOWHERE, url)
    assert refusal(NOWHERE, f"http://{url}")
