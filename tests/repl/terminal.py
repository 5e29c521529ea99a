"""Runs a program on a pseudo-terminal: waits for texts and types others, as steps on standard input (JSON) say."""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

steps = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
seen = b""
unread = b""


def read_until(text, seconds):
    """Reads until a text has come; false when it does not come, or the program has ended."""
    global seen, unread
    end = time.time() + seconds
    while text not in unread:
        if time.time() > end:
            return False
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            return False
        if not data:
            return False
        seen += data
        unread += data
    unread = unread[unread.index(text) + len(text) :]
    return True


def settle(seconds):
    """Reads until the program has answered and is quiet; on a busy machine that takes a while, and some keys have no answer."""
    global seen, unread
    end = time.time() + seconds
    answered = False
    while time.time() < end:
        if not select.select([terminal], [], [], 0.3)[0]:
            if answered:
                return
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            return
        if not data:
            return
        answered = True
        seen += data
        unread += data


missed = None
for wanted, typed in steps:
    if not read_until(wanted.encode(), 60):
        missed = wanted
        break
    parts = typed.encode().split(b"\t")
    for index, part in enumerate(parts):
        if index > 0:
            os.write(terminal, b"\t")
            settle(3)
        if part:
            os.write(terminal, part)
            time.sleep(0.05)
status = None
if missed is None:
    ended = 0
    for _ in range(15):
        read_until(b"\0never", 2)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended != 0:
            break
        if steps[-1][1] == "\x04":
            # Typed before the program read keys again, the end was not seen.
            try:
                os.write(terminal, b"\x04")
            except OSError:
                pass
    if ended == 0:
        os.kill(pid, 9)
        _, status = os.waitpid(pid, 0)
    status = os.waitstatus_to_exitcode(status)
else:
    os.kill(pid, 9)
json.dump({"seen": seen.decode("utf-8", "replace"), "missed": missed, "status": status}, sys.stdout)
