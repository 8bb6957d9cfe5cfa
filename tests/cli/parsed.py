"""What the command line reads in a line, without running it."""

import click

from unigeoclip.cli import main


def parse(words: list[str]) -> click.Context:
    """The context of the command that a line names, with its options in ``params``; a bad line raises."""
    command, context = main.commands, None
    while isinstance(command, click.Group):
        context = command.make_context(command.name, list(words), parent=context, allow_extra_args=True)
        if command.invoke_without_command and not (context._protected_args or context.args):
            return context
        _, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
    return command.make_context(command.name, list(words), parent=context)
