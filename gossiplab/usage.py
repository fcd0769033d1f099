"""What was wrong with a command line, in our words: cause, place, remedy. Imports cyclopts, whose errors it reads."""

import shlex

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from gossiplab.text import visible

_EXAMPLES = {
    "lab": "lab epidemic", "run": "run epidemic", "sweep": "sweep epidemic --vary fanout=1,2,3", "replay": "replay FILE", "verify": "verify FILE",
    "export": "export FILE --to csv",
}  # fmt: skip
"""How a command with what it needs is written."""


def complaint(error: CycloptsError) -> str:
    """One sentence about an error, for people."""
    command = " ".join(("gossiplab", *(error.command_chain or ())))
    more = f"see {command} --help"
    match error:
        case UnusedCliTokensError():
            unused, given = error.unused_tokens or [""], error.root_input_tokens or []
            if not error.command_chain and unused[0] in (error.app or ()):
                return _behind(unused, given[: len(given) - len(unused)])
            return f"there is nothing to do with {_shown(unused[0])}: write a command, such as gossiplab run epidemic, or see --help."
        case MissingArgumentError():
            return _missing(error, command, more)
        case UnknownOptionError():
            given = error.root_input_tokens or []
            place = next((i for i, word in enumerate(given) if word in (error.app or ())), 0)
            if place and not error.command_chain:
                return _behind(given[place:], given[:place])
            option = visible((error.token.keyword or error.token.value).partition("=")[0], 100)
            _, _, guess = str(error).partition("Did you mean ")
            perhaps = f"perhaps you mean {guess.strip().rstrip('?')}, " if guess else ""
            return f"{command} has no option {option}: {perhaps}{more}."
        case CoercionError() if error.token is not None:
            return f"{error.token.keyword or 'that'} cannot be {_shown(error.token.value)}: give true, false or nothing after it, {more}."
        case RepeatArgumentError():
            return f"{error.token.keyword} is given twice: give it once."
        case _:
            return f"{visible(' '.join(str(error).split()), 300).rstrip('.?')}: {more}."


def _behind(command: list[str], options: list[str]) -> str:
    right = visible(shlex.join(["gossiplab", *command, *options]), 300)
    return f"options stand behind the command: write {right}."


def _missing(error: MissingArgumentError, command: str, more: str) -> str:
    argument = error.argument
    name = error.keyword or (argument.name if argument else "that")
    example = _EXAMPLES.get(" ".join(error.command_chain or ()))
    if example and argument and argument.required:
        return f"{command} needs {name}: write, for instance, gossiplab {example}."
    return f"{name} needs a value after it: {more}."


def _shown(word: str) -> str:
    return repr(visible(word, 100))
