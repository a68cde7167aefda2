#!/usr/bin/env python3
"""load.py FILE: asks 100 addresses over HTTP until SIGTERM. Each connection carries several requests.

FILE always holds two numbers: the requests that were answered and the requests that failed. The output names the reason of each
failure. Its last line has the smallest number of answers that an address gave, and the sources that the servers saw.
"""
import collections
import os
import signal
import socket
import sys
import threading
import time

ADDRESSES = [f"2001:db8:123::{n}" for n in range(1, 101)]
REQUEST = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
answered = dict.fromkeys(ADDRESSES, 0)
failed = []
sources = collections.Counter()
stop = threading.Event()
lock = threading.Lock()


def ask(connection):
    """One request. The servers answer with the source that they see. True if the connection stays open."""
    connection.sendall(REQUEST)
    data = b""
    while not data.endswith(b"\n.\n"):
        part = connection.recv(4096)
        if not part:
            raise OSError(f"closed before the answer was complete: {data}")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError(head.split(b"\r\n")[0].decode())
    sources[body[:-3].decode()] += 1
    return b"\r\nconnection: close" not in head.lower()


def visit(address):
    """Some requests over a connection of their own."""
    done = 0
    try:
        with socket.create_connection((address, 80), timeout=30) as connection:
            while done < 10 and not stop.is_set():
                is_open = ask(connection)
                done += 1
                with lock:
                    answered[address] += 1
                if not is_open:
                    break
    except OSError as error:
        with lock:
            failed.append(error)
            print(f"{time.strftime('%T')} {address}, {done} answered before: {error!r}", flush=True)


def visit_all(first):
    """The work of a thread. Each thread begins at another address."""
    n = first
    while not stop.is_set():
        visit(ADDRESSES[n % len(ADDRESSES)])
        n += 1


def report(path):
    """Replaces the file at once, so that no reader sees half of it."""
    with open(path + ".new", "w", encoding="ascii") as file:
        print(sum(answered.values()), len(failed), file=file)
    os.rename(path + ".new", path)


def main():
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threads = [threading.Thread(target=visit_all, args=(n * 13,)) for n in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        report(sys.argv[1])
        time.sleep(0.2)
    report(sys.argv[1])
    print("least", min(answered.values()), "sources", *sorted(sources))


main()
