"""All attacks one after another: ``python -m tests.attacks [--only PART ...]``, with the real data and models.

    http      malformed addresses, methods, headers and messages, sent to the started app
    links     hostile links to all pages
    uploads   200 hostile files through the upload field
    commands  hostile command lines
    kills     damaged cache files, killed trainings and builds
    regions   a thousand regions compared, under the budget of the cache folder

Each is a module of its own and can be run alone. Prints the counts of every part as JSON; the exit code is 1 if any
count of harm is not zero, a part did not finish, or the server used more memory than it may. Takes some half an hour
on two cores.
"""

import argparse
import json
import subprocess
import sys

PARTS = {"http": (), "links": (), "uploads": (), "commands": (), "kills": (), "regions": ()}
# Counts (or lists of what was found) that have to be zero (or empty), by whichever part they are told.
HARM = (
    "server_stops", "http_500", "tracebacks", "tracebacks_in_log", "exceptions", "exceptions_shown", "timeouts",
    "unanswered", "leaks", "injected", "other_exit_codes", "not_one_line", "faults_of_ours", "wrong_answers",
    "silent_wrong_answers", "overwritten_files", "left_behind", "lost_files", "leftovers", "over_budget",
)  # fmt: skip
MOST_MB = 2_500  # of the server and the processes that it starts


def harm(counts):
    """What went wrong in a part, name -> count."""
    found = {name: counts[name] for name in HARM if counts.get(name)}
    if counts.get("peak_rss_mb", 0) > MOST_MB:
        found["peak_rss_mb"] = counts["peak_rss_mb"]
    return found


def run(part, arguments):
    """The counts that a part prints, with "exit_code" where it did not finish."""
    command = [sys.executable, "-m", f"tests.attacks.{part}", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"exit_code": done.returncode, "printed": done.stdout[-2_000:]}


def main():
    """Run the parts, print their counts and what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    report = {part: run(part, PARTS[part]) for part in parser.parse_args().only}
    found = {part: harm(counts) for part, counts in report.items() if harm(counts)}
    unfinished = [part for part, counts in report.items() if "exit_code" in counts]
    report |= {"harm": found, "unfinished": unfinished}
    sys.stdout.write(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    sys.exit(bool(found or unfinished))


if __name__ == "__main__":
    main()
