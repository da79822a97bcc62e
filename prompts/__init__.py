r"""Prompts are files: one folder a role, `system.md` and `user.md`, strictly rendered, versioned by their digest.

`$name` in a file stands for a value given to `render`. A string goes in as it is; anything else goes in as a delimited
JSON block

    <data name="name">
    {...}
    </data>

so that a prompt's prose can be rewritten without breaking whoever reads the block. `<` inside a block is written as
`\u003c`: content cannot end its own block.
"""

import hashlib
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from schemas.content import canonical_json
from schemas.messages import Message
from schemas.vocabulary import Role

_FOLDER = Path(__file__).parent


class PromptError(ValueError):
    """A prompt and the values given to it do not fit."""


@cache
def _text(role: Role, part: str) -> str:
    return (_FOLDER / role / f"{part}.md").read_text(encoding="utf-8").strip()


def data_block(name: str, value: Any) -> str:
    """`value` as a delimited JSON block."""
    content = canonical_json(value).replace("<", "\\u003c")
    return f'<data name="{name}">\n{content}\n</data>'


def render(role: Role, part: str, /, **values: Any) -> str:
    """One prompt file with its values.

    Raises:
        PromptError: the file wants a value that is not given, or a value is given that it does not use.
    """
    template = Template(_text(role, part))
    wanted = set(template.get_identifiers())
    if wanted != set(values):
        raise PromptError(f"prompts/{role}/{part}.md wants {sorted(wanted)}, was given {sorted(values)}")
    return template.substitute(
        {name: value if isinstance(value, str) else data_block(name, value) for name, value in values.items()}
    )


def begin_messages(system: str, user: str) -> list[Message]:
    """What a request begins with: the role's system prompt, and what it is asked first."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


@cache
def prompt_digest(role: Role) -> str:
    """Digest (16 hex digits) of all files of a role's prompt; stands in the provenance of each row it wrote."""
    files = sorted((_FOLDER / role).glob("*.md"))
    if not files:
        raise PromptError(f"no prompt files for {role}")
    content = hashlib.sha256()
    for file in files:
        content.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return content.hexdigest()[:16]


def read_prompt_files(role: Role) -> dict[str, str]:
    """The files that `prompt_digest` stands for: name -> text."""
    return {file.name: file.read_text(encoding="utf-8") for file in sorted((_FOLDER / role).glob("*.md"))}
