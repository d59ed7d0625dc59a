"""Which addresses may be called."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.egress import AddressRefused, check_address, refuse_reason

REFUSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "this network",
    "10.0.0.1": "private",
    "10.255.255.255": "private",
    "100.64.0.1": "carrier-grade",
    "100.127.255.255": "carrier-grade",
    "100.100.100.200": "metadata",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "metadata",
    "169.254.0.1": "link-local",
    "169.254.169.254": "metadata",
    "169.254.170.2": "metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.8": "protocols",
    "192.0.0.192": "metadata",
    "192.0.2.1": "documentation",
    "192.88.99.1": "relay",
    "192.168.0.1": "private",
    "198.18.0.1": "benchmarking",
    "198.19.255.255": "benchmarking",
    "198.51.100.7": "documentation",
    "203.0.113.9": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "::2": "carries 0.0.0.2",
    "::127.0.0.1": "carries 127.0.0.1",
    "::8.8.8.8": "outside",
    "::ffff:10.1.2.3": "private",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "metadata",
    "::ffff:0:127.0.0.1": "carries 127.0.0.1",
    "64:ff9b::127.0.0.1": "carries 127.0.0.1",
    "64:ff9b::169.254.169.254": "carries 169.254.169.254",
    "64:ff9b:1::808:808": "local NAT64",
    "100::1": "discard",
    "2001::1": "carries 0.0.0.0",
    "2001:0:808:808:0:0:80ff:fffe": "carries 127.0.0.1",
    "2001:0:a00:1:0:0:f7f7:f7f7": "carries 10.0.0.1",
    "2001:2::1": "benchmarking",
    "2001:10::1": "ORCHID",
    "2001:20::1": "ORCHID",
    "2001:1ff::1": "protocols",
    "2001:db8::1": "documentation",
    "2002:7f00:1::1": "carries 127.0.0.1",
    "2002:a9fe:a9fe::": "carries 169.254.169.254",
    "2002:c0a8:1::5": "carries 192.168.0.1",
    "2a00:1450:4001:80b:0:5efe:a00:1": "carries 10.0.0.1",
    "2a00:1450:4001:80b:200:5efe:a00:1": "carries 10.0.0.1",
    "3fff::1": "documentation",
    "4000::1": "outside",
    "5f00::1": "outside",
    "fc00::1": "private",
    "fd00::1": "private",
    "fd00:ec2::254": "metadata",
    "fd20:ce::254": "metadata",
    "fe80::1": "link-local",
    "fe80::1%eth0": "zone",
    "2a00:1450:4001:80b::200e%1": "zone",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
}

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2a00:1450:4001:80b::200e",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2001:0:808:808:0:0:f7f7:f7f7",
]


@pytest.mark.parametrize(("text", "word"), REFUSED.items())
def test_it_refuses_what_is_not_public_and_says_what_it_is(text, word):
    assert word in (refuse_reason(ip_address(text), ()) or "")


@pytest.mark.parametrize("text", PUBLIC)
def test_it_lets_public_addresses_pass(text):
    assert refuse_reason(ip_address(text), ()) is None


@pytest.mark.parametrize(
    ("allow", "address"),
    [
        ("127.0.0.1/32", "127.0.0.1"),
        ("127.0.0.1/32", "::ffff:127.0.0.1"),
        ("::ffff:127.0.0.1/128", "127.0.0.1"),
        ("::ffff:10.0.0.0/104", "10.200.0.1"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("::1/128", "::1"),
        ("fd00::/8", "fd12::1"),
        ("169.254.169.254/32", "169.254.169.254"),
        ("64:ff9b::/96", "64:ff9b::10.0.0.1"),
        ("::/0", "fe80::1"),
        ("0.0.0.0/0", "192.168.0.1"),
    ],
)
def test_it_lets_pass_what_the_operator_lists(allow, address):
    assert refuse_reason(ip_address(address), (ip_network(allow),)) is None


@pytest.mark.parametrize(
    ("allow", "address"),
    [
        ("127.0.0.1/32", "127.0.0.2"),
        ("127.0.0.1/32", "::1"),
        ("127.0.0.1/32", "::127.0.0.1"),
        ("127.0.0.1/32", "64:ff9b::127.0.0.1"),
        ("127.0.0.1/32", "2002:7f00:1::1"),
        ("127.0.0.1/32", "::ffff:127.0.0.2"),
        ("10.0.0.0/9", "10.128.0.0"),
        ("::1/128", "127.0.0.1"),
        ("0.0.0.0/0", "::1"),
        ("fe80::/10", "fe80::1%eth0"),
    ],
)
def test_it_goes_on_refusing_what_lies_beside_the_list(allow, address):
    assert refuse_reason(ip_address(address), (ip_network(allow),)) is not None


def test_it_tells_the_operator_how_to_allow_the_address():
    with pytest.raises(AddressRefused) as caught:
        check_address(IPv4Address("10.1.2.3"), host="shop.example", allow=())

    assert caught.value.status == 400
    assert caught.value.sent is False
    assert "shop.example" in caught.value.message
    assert "POLYVALENT_EGRESS_ALLOW=10.1.2.3/32" in caught.value.message


def test_it_names_the_plain_form_of_a_mapped_address():
    with pytest.raises(AddressRefused, match=r"POLYVALENT_EGRESS_ALLOW=127\.0\.0\.1/32"):
        check_address(IPv6Address("::ffff:7f00:1"), host="shop.example", allow=())


@given(st.ip_addresses(v=4))
def test_it_judges_a_mapped_address_as_the_plain_one(address):
    mapped = IPv6Address(f"::ffff:{address}")

    assert refuse_reason(mapped, ()) == refuse_reason(address, ())


@given(st.ip_addresses(v=4), st.integers(0, 2**64 - 1))
def test_it_refuses_every_disguise_of_a_refused_address(address, noise):
    number = int(address)
    disguises = [
        IPv6Address(number),
        IPv6Address(0xFFFF_0000 << 32 | number),
        IPv6Address(0x0064_FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80 | noise),
        IPv6Address(0x2001_0000 << 96 | 0x0808_0808 << 64 | number ^ 0xFFFF_FFFF),
        IPv6Address(0x2001_0000 << 96 | number << 64 | 0x0808_0808 ^ 0xFFFF_FFFF),
        IPv6Address(0x2A00_1450 << 96 | 0x5EFE << 32 | number),
    ]

    if refuse_reason(address, ()) is not None:
        assert all(refuse_reason(each, ()) is not None for each in disguises)


@given(st.ip_addresses(v=6))
def test_it_never_passes_what_the_standard_library_calls_local(address):
    if (
        address.is_loopback
        or address.is_link_local
        or address.is_site_local
        or (address in ip_network("fc00::/7") or address.is_multicast or address.is_unspecified)
    ):
        assert refuse_reason(address, ()) is not None


@given(st.ip_addresses(v=4))
def test_it_passes_no_address_that_the_standard_library_calls_not_global(address):
    if not address.is_global:
        assert refuse_reason(address, ()) is not None


def test_it_advises_nobody_to_allow_what_hands_out_credentials():
    with pytest.raises(AddressRefused, match="Never allow it") as caught:
        check_address(ip_address("169.254.169.254"), host="a.example", allow=())

    assert "POLYVALENT_EGRESS_ALLOW" not in caught.value.message
    with pytest.raises(AddressRefused, match=r"POLYVALENT_EGRESS_ALLOW=127\.0\.0\.1/32"):
        check_address(ip_address("127.0.0.1"), host="127.0.0.1", allow=())
