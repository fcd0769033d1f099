"""The screen, driven through Textual."""
