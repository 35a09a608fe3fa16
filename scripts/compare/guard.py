"""Runs one command, measures it, and ends it before it takes the machine's memory.

    python guard.py [--limit-gb 13] [--machine-gb 17] [--minutes 15] -- COMMAND ...

Prints one JSON line on stderr: outcome, seconds, peak resident memory, load before the start.
The peak is what `/usr/bin/time -v` reports (wait4's ru_maxrss). Linux only.
"""

import argparse
import json
import os
import signal
import sys
import time

GB = 1 << 30


def process_tree(root: int) -> list[int]:
    """Returns root and all its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parents[int(entry)] = int(stat.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    tree = [root]
    for parent in tree:
        tree.extend(child for child, p in parents.items() if p == parent)
    return tree


def resident_bytes(root: int) -> int:
    """Resident memory of root and its descendants, in bytes."""
    total = 0
    for pid in process_tree(root):
        try:
            with open(f"/proc/{pid}/statm") as statm:
                total += int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total


def machine_used_bytes() -> int:
    """Memory the whole machine cannot give away, in bytes."""
    with open("/proc/meminfo") as meminfo:
        fields = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in meminfo}
    return fields["MemTotal"] - fields["MemAvailable"]


def offer_to_oom_killer() -> None:
    """Between two looks of the guard the kernel ends this process first, not its neighbours."""
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def guarded(command: list[str], limit_gb: float, machine_gb: float, minutes: float) -> dict:
    """Runs command; ends its process group at the first limit it passes.

    Returns outcome ("ok", "memory limit", "time limit" or "exit N"), seconds, peakGb and load.
    """
    load = os.getloadavg()[0]
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        offer_to_oom_killer()
        os.execvp(command[0], command)
    outcome = None
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if outcome is None:
            if resident_bytes(pid) > limit_gb * GB or machine_used_bytes() > machine_gb * GB:
                outcome = "memory limit"
            elif time.monotonic() - start > minutes * 60:
                outcome = "time limit"
            if outcome is not None:
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.2)
    code = os.waitstatus_to_exitcode(status)
    return {
        "outcome": outcome or ("ok" if code == 0 else f"exit {code}"),
        "seconds": round(time.monotonic() - start, 2),
        "cpuSeconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peakGb": round(usage.ru_maxrss * 1024 / GB, 3),
        "load": round(load, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit-gb", type=float, default=13)
    parser.add_argument("--machine-gb", type=float, default=17)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    result = guarded(args.command, args.limit_gb, args.machine_gb, args.minutes)
    print(json.dumps(result), file=sys.stderr)
    sys.exit(0 if result["outcome"] == "ok" else 1)


if __name__ == "__main__":
    main()
