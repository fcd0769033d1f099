"""Protocols that exist to be tested with: chatty, asynchronous, faulty ones. Content, like protocols/."""
