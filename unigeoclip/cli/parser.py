"""Commands and groups of click whose refusals are one sentence each, and the types of values that options take.

click takes the next word as the value of an option whatever it is, and lets the last of several win; a forgotten value
or a repeated option is then answered without a word. Both are refused here, before click reads the line.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FILE", "MAX_SEED", "SEED", "Command", "Group", "one_of", "whole_number", "words"]

MAX_SEED = 2**32 - 1  # what NumPy, PyTorch and the libraries below them all take
# Nothing is asked of the path here: what reads or writes it says what is wrong with it, in its own words.
FILE = click.Path(path_type=Path, readable=False)


class Command(click.Command):
    """A command that refuses a forgotten value and an option given twice."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`."""
        _check_line(self, ctx, args)
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A group of commands that says which there are."""

    command_class = Command
    group_class = type

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Group.parse_args`."""
        if not args and not ctx.resilient_parsing:
            ctx.fail(f"the following argument is required: {self._placeholder}; {self._choices}")
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group.resolve_command`."""
        if not ctx.resilient_parsing and args[0] not in self.commands and not args[0].startswith("-"):
            ctx.fail(f"argument {self._placeholder}: invalid choice {args[0]!r}; {self._choices}")
        return super().resolve_command(ctx, args)

    @property
    def _placeholder(self) -> str:
        return (self.subcommand_metavar or "COMMAND").split()[0]

    @property
    def _choices(self) -> str:
        return f"choose from {', '.join(self.commands)}"


def _check_line(command: click.Command, ctx: click.Context, args: Sequence[str]) -> None:
    options = {name: each for each in command.get_params(ctx) if isinstance(each, click.Option) for name in each.opts}
    given: set[str | None] = set()
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return
        name, equals, value = word.partition("=")
        option = options.get(name)
        if option is None or option.is_flag or option.count:
            continue  # what is no option is refused by click itself
        if option.name in given and not option.multiple:
            raise click.UsageError(f"argument {name}: given more than once; give it once", ctx)
        given.add(option.name)
        if not equals:
            if not rest or (rest[0] != "--" and rest[0].startswith("--")):
                hint = f"; write {name}={rest[0]} if that is its value" if rest else ""
                raise click.UsageError(f"argument {name}: expected one argument{hint}", ctx)
            value = rest.pop(0)
        if value == "--":
            raise click.UsageError(f"{name} needs a value, and '--' is none", ctx)


def words(text: str) -> str:
    """Text of an option; bytes that are not UTF-8, which Python passes on as lone surrogates, are refused."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise click.BadParameter(f"{text!r} is not UTF-8: type it in a terminal that is set to UTF-8") from error
    return text


def whole_number(low: int, high: int) -> Callable[[Any], int]:
    """A reader of whole numbers from ``low`` to ``high``, both included."""

    def read(text: Any) -> int:
        try:
            number = int(text)
        except ValueError as error:
            raise click.BadParameter(f"invalid number {text!r}") from error
        if number < low:
            raise click.BadParameter(f"must be {low} or more, not {number}")
        if number > high:
            raise click.BadParameter(f"must be {high:,} or less, not {number}")
        return number

    read.__name__ = "number"  # how help calls such a value
    return read


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader of one of a few words."""

    def read(text: str) -> str:
        if text not in choices:
            raise click.BadParameter(f"invalid choice {text!r}; choose from {', '.join(choices)}")
        return text

    return read


SEED = whole_number(0, MAX_SEED)
