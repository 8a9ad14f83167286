"""Spellings of addresses that must never be called, and what a name of somebody's could lead to."""

from __future__ import annotations

SPELLINGS = [
    "https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://0x7f000001/",
    "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://017700000001/", "https://127.0.0.0x1/", "https://0/",
    "https://0.0.0.0/", "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://localhost.localdomain/",
    "https://127.0.0.1./", "https://127.0.0.1.:443/", "https://127。0。0。1/", "https://１２７.0.0.1/", "https://①②⑦.0.0.1/",
    "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/", "https://169.254.169.254/",
    "https://2852039166/", "https://0xA9FEA9FE/", "https://0251.0376.0251.0376/", "https://169.254.43518/",
    "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/",
    "https://[fd00:ec2::254]/", "https://[fe80::1%25eth0]/", "https://[fe80::1]/", "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/", "https://[::ffff:0:127.0.0.1]/", "https://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "https://[2001:0:7f00:1::]/", "https://224.0.0.1/", "https://255.255.255.255/", "https://[ff02::1]/",
    "https://hooks.example.org@127.0.0.1/", "https://hooks.example.org:x@10.0.0.1/", "https://@127.0.0.1/",
    "https://127.0.0.1\\@hooks.example.org/", "https://127.0.0.1#@hooks.example.org/",
    "https://127.0.0.1?@hooks.example.org/",
    "https://hooks.example.org\t@127.0.0.1/", "https:\\\\127.0.0.1/", "https:///127.0.0.1/",
    "https:127.0.0.1/", "//127.0.0.1/",
    "https://127%2e0%2e0%2e1/", "https://%31%32%37.0.0.1/", "https://loc\u00adalhost/", "https://ⓛocalhost/",
    "https:// 127.0.0.1/", " https://127.0.0.1/", "https://127.0.0.1\n/", "http://127.0.0.1/", "http://hooks.example.org/",
    "HTTPS://127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_", "unix:///run/redis.sock",
    "https://hooks.example.org:6379/", "https://hooks.example.org:0/", "https://hooks.example.org:/", "https://hooks.example.org:99999/",
    "https://hooks.example.org:+443/", "https://hooks.example.org./", "https://metadata/", "https://", "",
]  # fmt: skip

# One each of what the DNS may answer for a name that looks like any other
NUMBERS = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "100::1", "2001::1",
    "2001:0:a9fe:a9fe::", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:a9fe:a9fe::", "3fff::1", "5f00::1",
    "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip
# Both ends of each network that is not everybody's, as the registries have them
ENDS = [
    ("0.0.0.0", "0.255.255.255"), ("10.0.0.0", "10.255.255.255"), ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"), ("169.254.0.0", "169.254.255.255"), ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"), ("192.0.2.0", "192.0.2.255"), ("192.31.196.0", "192.31.196.255"),
    ("192.52.193.0", "192.52.193.255"), ("192.88.99.0", "192.88.99.255"), ("192.168.0.0", "192.168.255.255"),
    ("192.175.48.0", "192.175.48.255"), ("198.18.0.0", "198.19.255.255"), ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"), ("224.0.0.0", "239.255.255.255"), ("240.0.0.0", "255.255.255.255"),
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"), ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
]  # fmt: skip
PUBLIC = ["93.184.216.34", "1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450::1"]
