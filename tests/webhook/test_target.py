"""Where a webhook may go."""

import pytest

from worker.errors import UsageError
from worker.webhook.target import parse_target, permitted

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "loopback"),
    [
        ("https://shop.example/hook?a=1", "shop.example", 443, "/hook?a=1", False),
        ("https://SHOP.example:8443", "shop.example", 8443, "/", False),
        ("http://localhost:9000/x", "localhost", 9000, "/x", True),
        ("http://127.0.0.2", "127.0.0.2", 80, "/", True),
        ("http://[::1]:9000/", "::1", 9000, "/", True),
        ("https://[2606:4700::1]/", "2606:4700::1", 443, "/", False),
        ("https://münchen.example/", "münchen.example", 443, "/", False),
    ],
)
def test_an_address_is_taken_apart(url: str, host: str, port: int, path: str, loopback: bool) -> None:
    target = parse_target(url)
    assert (target.host, target.port, target.path, target.loopback) == (host, port, path, loopback)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://shop.example/", "https"),
        ("http://localhost.shop.example/", "https"),
        ("http://10.0.0.1/", "https"),
        ("http://2130706433/", "https"),
        ("ftp://localhost/", "https"),
        ("file:///etc/passwd", "web address"),
        ("shop.example/hook", "web address"),
        ("https://", "web address"),
        ("https://:443/", "web address"),
        ("https://shop.example:0/", "web address"),
        ("https://shop.example:99999/", "web address"),
        ("https://[::1/", "web address"),
        ("https://" + "x" * 64 + ".example/", "web address"),
        ("https://shop.example/" + "x" * 2000, "web address"),
        ("https://shop.example/a b", "web address"),
        ("https://shop.example/\r\nX: 1", "web address"),
        ("https://shop.example\\@other.example/", "web address"),
        ("https://user:pass@shop.example/", "user name"),
        ("https://shop.example/#part", "after #"),
        ("https://shop.example/münchen", "percent"),
    ],
)
def test_an_address_that_will_not_do_is_refused_in_a_sentence(url: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_target(url)


@pytest.mark.parametrize(
    ("address", "on_the_internet", "if_allowed"),
    [
        (PUBLIC, True, True),
        ("2606:4700::1111", True, True),
        ("64:ff9b::5db8:d70e", True, True),  # a public address, by way of NAT64
        ("10.0.0.1", False, True),
        ("172.16.5.5", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("fd00::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("64:ff9b::a00:1", False, True),  # 10.0.0.1
        ("fec0::1", False, True),
        ("2002:a00:1::1", False, True),  # 10.0.0.1, by way of 6to4
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("fe80::1%eth0", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, False),
        ("::10.0.0.1", False, False),
        ("nonsense", False, False),
    ],
)
def test_a_name_leads_to_the_internet_only_unless_private_networks_are_allowed(
    address: str, on_the_internet: bool, if_allowed: bool
) -> None:
    target = parse_target("https://shop.example/")
    assert permitted(target, [address], allow_private=False) == [address] * on_the_internet
    assert permitted(target, [address], allow_private=True) == [address] * if_allowed


@pytest.mark.parametrize("address", [PUBLIC, "10.0.0.1", "169.254.169.254"])
def test_the_name_of_this_machine_leads_nowhere_else(address: str) -> None:
    target = parse_target("http://localhost:9000/")
    assert permitted(target, [address, "127.0.0.1", "::1"], allow_private=True) == ["127.0.0.1", "::1"]
