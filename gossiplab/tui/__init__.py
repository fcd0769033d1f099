"""The screen: a Textual app that draws Worlds and turns keys into commands. Imports world, recording and engine."""

import os

# Textual paints at its own beat, and what a key has changed waits for the next one but one: at its 60 a second for up to
# 33 ms, as long as everything else that lies between key and picture. It reads this when it is imported first.
os.environ.setdefault("TEXTUAL_FPS", "120")
