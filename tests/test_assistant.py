"""The assistant's request: the tools as they are offered, and a system prompt that can be trained on."""

from playing import ASK, BYE, DONE, LOOK_UP, NOW, TELL, TOOLS, watch

from turnwright.roles.assistant import system_prompt


def test_the_system_prompt_names_the_service_and_the_time() -> None:
    text = system_prompt("concert_singer", NOW)
    assert "concert singer" in text
    assert NOW in text


def test_the_system_prompt_tells_nothing_of_how_the_dialogue_is_made() -> None:
    text = system_prompt("club", NOW).lower()
    assert not any(word in text for word in ("simulat", "rubric", "persona", "training", "judge", "<data"))


def test_the_tools_are_sent_as_their_specs() -> None:
    _, models = watch([ASK, DONE], [LOOK_UP, TELL, BYE])
    assert all(request.tools == tuple(tool.spec for tool in TOOLS) for request in models.requests_of("assistant"))


def test_the_system_message_is_the_first_of_the_dialogue() -> None:
    row, models = watch([ASK, DONE], [LOOK_UP, TELL, BYE])
    assert models.requests_of("assistant")[0].messages[0]["content"] == system_prompt(row.domain, NOW)
