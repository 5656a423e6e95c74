"""Which addresses a notice may be sent to. Pure: the guard in `gateways` asks for each connection."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address, IPv6Network

CLOUD_PLATFORM = frozenset({IPv4Address("168.63.129.16")})
"""Global by registration, private by use: Azure's platform endpoint."""

REFUSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "::/96",  # unspecified, loopback and the deprecated IPv4-compatible form
        "::ffff:0:0/96",  # IPv4-mapped: the kernel would connect to the IPv4 address inside
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b::/96",  # NAT64: an IPv4 address inside
        "64:ff9b:1::/48",  # local NAT64
        "100::/64",  # discard
        "2001::/23",  # protocol assignments with Teredo and ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local, cloud metadata among them
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated yet routed in places
        "ff00::/8",  # multicast
    )
)


def is_public(address: str) -> bool:
    """True when `address` (numeric, as a socket gets it) is a host on the open internet and nothing else.

    Everything unusual is not: private, loopback, link-local, shared (CGNAT), reserved, documentation, multicast,
    broadcast, and each IPv6 form that carries an IPv4 address.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        return ip in GLOBAL_UNICAST and not any(ip in network for network in REFUSED_V6)
    return ip.is_global and not ip.is_multicast and not _is_special(ip)


GLOBAL_UNICAST = IPv6Network("2000::/3")

REFUSED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
"""Said in full although `is_global` knows most: what it knows has changed between versions of Python."""


def _is_special(ip: IPv4Address) -> bool:
    return ip in CLOUD_PLATFORM or any(ip in network for network in REFUSED_V4)
