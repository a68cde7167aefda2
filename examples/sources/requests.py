#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Requests over HTTP, each from another address of a prefix:
#   ip -6 route add local 2001:db8:5::/64 dev lo
#   requests.py 2001:db8:c::2 2001:db8:5:: 10000
import http.client
import sys

server, prefix, count = sys.argv[1:]
for n in range(1, int(count) + 1):
    connection = http.client.HTTPConnection(server, 80, source_address=(f"{prefix}{n:x}", 0))
    connection.request("GET", "/")
    response = connection.getresponse()
    if response.status != 200:
        sys.exit(f"status {response.status}")
    connection.close()
