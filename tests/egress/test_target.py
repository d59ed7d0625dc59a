"""Where a URL leads, however it is written."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from polyvalent.egress import AddressRefused, Target, read_target
from polyvalent.errors import BadRequest

ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))

# Every one of these leads to an address that is not public.
HIDDEN_ADDRESSES = [
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.000.000.001/",
    "http://0177.0.0.1/",
    "http://0177.1/",
    "http://0x7f.0.0.1/",
    "http://0x7F.1/",
    "http://0x7f000001/",
    "http://0X7F000001./",
    "http://2130706433/",
    "http://017700000001/",
    "http://00000000000177.1/",
    "http://0/",
    "http://0x/",
    "http://0.0.0.0/",
    "http://10.1/",
    "http://0xa.0x0.0x0.0x1/",
    "http://3232235777/",
    "http://192.168.257/",
    "http://169.254.169.254/latest/meta-data",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::FFFF:7F00:1]/",
    "http://[0000:0000:0000:0000:0000:ffff:7f00:0001]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:808:808::80ff:fffe]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fd00:ec2::254]/",
    "https://[fc00::1]:8443/",
    "HTTP://127.0.0.1:8080/",
]

# Every one of these can be read in two ways, or in none.
DOUBTFUL = [
    "http://good.example@127.0.0.1/",
    "http://good.example:80@127.0.0.1/",
    "http://127.0.0.1@good.example/",
    "http://@good.example/",
    "http://good.example\\@127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http://good.example\\.evil.example/",
    "http://good.example#@127.0.0.1/",
    "http://good.example/#fragment",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1/",
    "http://[::1]x/",
    "http://[]/",
    "http://[127.0.0.1]/",
    "http://[v1.x]/",
    "http://[::1]@good.example/",
    "http://127.0.0.1:80:80/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127。0。0。1/",
    "http://①②⑦.0.0.1/",
    "http://ⓛocalhost/",
    "http://loc\u00adalhost/",
    "http://münchen.example/",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0.0.1/",
    "http://good.example%00.evil.example/",
    "http://good.example /",
    "http:// 127.0.0.1/",
    " http://good.example/",
    "http://good.example/\r\nHost: evil.example",
    "http://good.example/\t",
    "http://good\n.example/",
    "http://good.example/ü",
    "http://good.example/a b",
    "http://good.example\x7f/",
    "http://1.2.3.4.5/",
    "http://256.256.256.256/",
    "http://1.2.3.08/",
    "http://4294967296/",
    "http://good.example.0x1/",
    "http://8.8.8.010/",
    "http://8.8.2056/",
    "http://134744072/",
    "http://8.8.8.8./",
    "http://good..example/",
    "http://good.example../",
    "http://.good.example/",
    "http://./",
    "http:///path",
    "http://",
    "http://?a=b",
    "http://:80/",
    "http:good.example/",
    "//good.example/",
    "good.example",
    "",
    "ftp://good.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "unix://socket",
    "ws://good.example/",
    "http://good.example:/",
    "http://good.example:0/",
    "http://good.example:65536/",
    "http://good.example:-1/",
    "http://good.example:\uff18\uff10/",
    "http://good.example:8a/",
    "http://-good.example/",
    "http://good-.example/",
    "http://go*od.example/",
    "http://" + "a" * 64 + ".example/",
    "http://" + "a." * 127 + "example/",
]


@pytest.mark.parametrize("url", HIDDEN_ADDRESSES)
def test_it_sees_through_a_disguised_address(url):
    with pytest.raises(AddressRefused):
        read_target(url, allow=())


@pytest.mark.parametrize("url", DOUBTFUL)
def test_it_refuses_what_can_be_read_in_two_ways(url):
    with pytest.raises(BadRequest):
        read_target(url, allow=ANYWHERE)


@pytest.mark.parametrize("url", ["http://127.1/", "http://0x7f000001/", "http://127.0.0.1./"])
def test_it_asks_for_the_plain_spelling_of_an_allowed_address(url):
    with pytest.raises(BadRequest, match=r"Write 127\.0\.0\.1\."):
        read_target(url, allow=ANYWHERE)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", Target(scheme="http", host="a.example", port=80)),
        ("https://a.example/x", Target(scheme="https", host="a.example", port=443)),
        ("https://a.example:8443?x=1", Target(scheme="https", host="a.example", port=8443)),
        ("HTTPS://A.Example./", Target(scheme="https", host="A.Example.", port=443)),
        ("http://my_shop.example/", Target(scheme="http", host="my_shop.example", port=80)),
        (
            "http://xn--mnchen-3ya.example/",
            Target(scheme="http", host="xn--mnchen-3ya.example", port=80),
        ),
        ("http://3com.example/@x:y", Target(scheme="http", host="3com.example", port=80)),
        ("http://a.0xg/", Target(scheme="http", host="a.0xg", port=80)),
        (
            "http://8.8.8.8:81/",
            Target(scheme="http", host="8.8.8.8", port=81, address=ip_address("8.8.8.8")),
        ),
        (
            "http://[2606:4700::1111]/",
            Target(
                scheme="http",
                host="2606:4700::1111",
                port=80,
                address=ip_address("2606:4700::1111"),
            ),
        ),
    ],
)
def test_it_reads_scheme_host_and_port(url, target):
    assert read_target(url, allow=()) == target


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://good.example@127.0.0.1/", "user name or password"),
        ("http://good.example\\@127.0.0.1/", "backslash"),
        ("http://m\u00fcnchen.example/", "xn-- form"),
        ("http://good.example/#top", "fragment"),
        ("http://[fe80::1%25eth0]/", "zone"),
        ("http://good.example:0/", "from 1 to 65535"),
        ("ftp://good.example/", "http:// or https://"),
        ("http://256.1.1.1/", "looks like an IPv4 address"),
        ("http:///path", "names no host"),
        ("http://good..example/", "neither a name nor an address"),
    ],
)
def test_it_says_what_is_wrong_with_a_url(url, words):
    with pytest.raises(BadRequest) as caught:
        read_target(url, allow=())

    assert words in caught.value.message
    assert caught.value.status == 400


def test_it_repeats_neither_path_nor_query_in_a_refusal():
    for url in ("http://a.example/p?key=hidden word", "http://u:hidden@a.example/"):
        with pytest.raises(BadRequest) as caught:
            read_target(url, allow=())

        assert "hidden" not in str(caught.value)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40))
def test_it_agrees_with_the_client_on_host_port_and_path(text):
    url = f"http://{text}"
    try:
        target = read_target(url, allow=())
    except BadRequest:
        return
    parsed = URL(url, encoded=True)

    assert (parsed.raw_host, parsed.port) == (target.host, target.port)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#\\")))
def test_it_leaves_path_and_query_to_the_byte(text):
    url = f"http://a.example/{text}"

    read_target(url, allow=())

    sent = text[:-1] if text.find("?") == len(text) - 1 else text  # an empty query has no "?"
    assert URL(url, encoded=True).raw_path_qs == f"/{sent}"
