"""The command line: read the arguments, call the package, print. ``python -m unigeoclip --help`` lists the commands.

Exit code 0, or 2 with one line on stderr that says what was wrong and how to mend it. With ``--json`` only JSON goes to
stdout. Everything heavy is imported by the command that needs it, so that help comes at once.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unigeoclip.cli import compare, data, encode, export, measure, query, stores
from unigeoclip.cli.console import complain, drop_output
from unigeoclip.cli.error_messages import DEBUG, failure_line
from unigeoclip.cli.fetching import embeddings
from unigeoclip.cli.parser import Group
from unigeoclip.cli.probing import command as probe
from unigeoclip.cli.probing import tasks
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_COMPLETE = "_UNIGEOCLIP_COMPLETE"  # set by the shell that asks which words may follow, see click.shell_completion


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def commands() -> None:
    """UniGeoCLIP in the open: five modalities of a place in one embedding space."""


for _group in (data, embeddings, query, encode, stores, measure, probe, tasks, compare, export):
    for _command in _group.COMMANDS:
        commands.add_command(_command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; those of the process by default.

    Returns:
        The exit code: 0; 2 after one line on stderr; 130 if a person stopped it. With the environment variable
        UNIGEOCLIP_DEBUG=1 the traceback stands before that line.

    Raises:
        SystemExit: After help was printed, with code 0.
    """
    try:
        _run(sys.argv[1:] if argv is None else argv)
    except BrokenPipeError:  # the reader has seen enough, as in "... --json | head"
        drop_output()
        return 0
    except KeyboardInterrupt:
        complain("stopped")
        return 130
    except Exception as error:
        if os.environ.get(DEBUG) == "1":
            complain(traceback.format_exc())
        complain(f"error: {failure_line(error)}")
        drop_output(unless_it_can_be_written=True)
        return 2
    return 0


def _run(argv: Sequence[str]) -> None:
    # What the terminal's encoding lacks is printed as \\u1234; no text may end a command whose work is done.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if asked := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        raise SystemExit(shell_complete(commands, {}, _program(), _COMPLETE, asked))
    # Not click's own main(): it ends the process over a closed pipe and turns Ctrl-C into another exception.
    try:
        with commands.make_context(_program(), list(argv)) as context:
            commands.invoke(context)
    except click.exceptions.Exit as stopped:  # help was printed
        raise SystemExit(stopped.exit_code) from stopped
    except click.UsageError as error:
        path = _program() if error.ctx is None else error.ctx.command_path
        raise InputError(f"{error.format_message().rstrip('.')}; see '{path} --help'.") from error
    finally:  # help leaves by SystemExit; a full disk shows only now
        if sys.stdout is not None:
            sys.stdout.flush()


def _program() -> str:
    """What a person types: the installed command, or the module."""
    return "unigeoclip" if Path(sys.argv[0]).stem == "unigeoclip" else "python -m unigeoclip"
