"""The screen: a Textual app that draws Worlds and turns keys into commands. Imports world, recording and engine."""
