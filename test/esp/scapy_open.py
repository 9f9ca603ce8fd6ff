"""Opens ESP packets with scapy, an ESP implementation that is not ours.

Standard input: {"spi": n, "cipher": name, "icv": octets or null, "auth": name or null, "key": hex, "authKey": hex,
"mode": "tunnel" or "transport", "packets": [hex, ...]}, packets from the outer IP header on. Standard output: one list
of {"outer": {"src", "dst", "tos", "proto", "checksum"}, "seq", "inner": hex} or {"error": name} per packet.
"""
import json
import logging
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.layers.inet import IP  # noqa: E402
from scapy.layers.ipsec import ESP, SecurityAssociation  # noqa: E402
from scapy.packet import raw  # noqa: E402


def main():
    given = json.load(sys.stdin)
    options = {"crypt_algo": given["cipher"], "crypt_key": bytes.fromhex(given["key"]) or None}
    if given["icv"]:
        options["crypt_icv_size"] = given["icv"]
    if given["auth"]:
        options["auth_algo"] = given["auth"]
        options["auth_key"] = bytes.fromhex(given["authKey"])
    if given["mode"] == "tunnel":
        options["tunnel_header"] = IP()
    results = []
    for text in given["packets"]:
        packet = IP(bytes.fromhex(text))
        fresh = IP(bytes.fromhex(text))
        del fresh.chksum
        outer = {"src": packet.src, "dst": packet.dst, "tos": packet.tos, "proto": packet.proto,
                 "checksum": IP(raw(fresh)).chksum == packet.chksum}
        sequence = int.from_bytes(raw(packet[ESP])[4:8], "big")
        try:
            association = SecurityAssociation(ESP, spi=given["spi"], **options)
            inner = association.decrypt(packet)
            results.append({"outer": outer, "seq": sequence, "inner": raw(inner).hex()})
        except Exception as error:
            results.append({"outer": outer, "error": type(error).__name__})
    json.dump(results, sys.stdout)


main()
