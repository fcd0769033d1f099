"""Colours of text that can be read on what is behind it, in every theme. Imports Textual alone.

Some themes have colours for text that are hardly darker than their light ground: yellow on grey, at a contrast of 2.8.
"""

from collections.abc import Mapping

from textual.color import BLACK, WHITE, Color

CONTRAST = 4.5
"""What WCAG 2.2, 1.4.3 (AA), asks of text of ordinary size: a ratio of relative luminances, from 1 up to 21."""
_STEPS = 20  # to black or white
_FAINTEST = 0.7  # of the foreground, in which words are written that matter less


def legible(variables: Mapping[str, str]) -> dict[str, str]:
    """The colours for text, by name: as a theme has them, or as much darker or lighter as they have to be.

    variables: those of a theme. Not of one that leaves colours to the terminal, for nobody knows what they look like.
    """
    ground = Color.parse(variables["panel"])  # of all that text stands on the nearest to it
    end = WHITE if contrast(WHITE, ground) > contrast(BLACK, ground) else BLACK
    better: dict[str, str] = {}
    for name, value in variables.items():
        if name == "foreground" or (name.startswith("text-") and not value.startswith("auto")):
            share = _FAINTEST if name == "foreground" else 1.0
            tones = (Color.parse(value).blend(end, step / _STEPS) for step in range(_STEPS + 1))
            enough = (tone for tone in tones if contrast(ground.blend(tone, share), ground) >= CONTRAST)
            better[name] = next(enough, end).hex
    # the theme's own says "auto 60%": so much of black or white on whatever is behind it
    shares = (each for each in range(60, 100) if contrast(ground.blend(end, each / 100), ground) >= CONTRAST)
    return {**better, "text-muted": f"auto {next(shares, 100)}%"}


def contrast(one: Color, other: Color) -> float:
    """How much two colours differ in brightness, as WCAG 2.2 defines it: from 1 up to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
