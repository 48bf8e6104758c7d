"""What a house says of its look, as the image model is told it: wishes inside the frame that every prompt keeps."""

from __future__ import annotations

from dataclasses import dataclass

from function.generation.prompt_templates import PromptTemplates

# What only a scene that is still to be made can follow: a photograph has its camera already.
OF_NEW_SCENES = frozenset({"camera"})
OF_PRODUCTS = frozenset({"colours"})


@dataclass(frozen=True)
class StyleWords:
    """The words of a style profile; `colours` are name and #rrggbb."""

    light: str | None = None
    mood: str | None = None
    camera: str | None = None
    do: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    colours: tuple[tuple[str, str], ...] = ()


def style_text(style: StyleWords | None, templates: PromptTemplates, *, without: frozenset[str]) -> str:
    """The part of a prompt that tells the style, without some of its fields; "" where it says nothing else.

    Each wish is one line, whatever its words hold: the rules of the prompt stand below, and are said to win.
    """
    if style is None:
        return ""
    said = {
        "light": [style.light] if style.light else [],
        "mood": [style.mood] if style.mood else [],
        "camera": [style.camera] if style.camera else [],
        "do": style.do,
        "avoid": style.avoid,
        "colours": [", ".join(f"{name} {code}" for name, code in style.colours)] if style.colours else [],
    }
    wishes = [
        templates.wishes[field].format(words=" ".join(words.split()))
        for field, each in said.items()
        if field not in without
        for words in each
    ]
    return templates.style.format(wishes="\n".join(f"- {wish}" for wish in wishes)) if wishes else ""
