"""What a parameter is called among people: its name in words, with what its tool is about where that is too little."""

from turnwright.tools.naming import singular, split_words, to_words
from turnwright.tools.spec_naming import VERBS


def label_parameter(tool_name: str, parameter: str) -> str:
    """A parameter in words; one word that could be anyone's gets the thing before it: `employee name`."""
    words = split_words(parameter)
    if len(words) != 1:
        return to_words(parameter)
    nouns = [word for word in split_words(tool_name) if word not in VERBS]
    about = singular(nouns[-1]) if nouns else ""
    return to_words(parameter) if not about or about == singular(words[0]) else f"{about} {to_words(parameter)}"
