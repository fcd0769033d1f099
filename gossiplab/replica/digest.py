"""Digests: what a replica holds, said in a few bytes a key, and how two of them differ. Pure. Imports errors only.

Demers et al. 1987, section 1.3: replicas that compare checksums or lists of versions send only what the other lacks. A
fingerprint stands for the whole state of one key; equal states have equal ones (fields in their order, dictionaries
sorted), on every machine: blake2b from hashlib, never `hash()`. A checksum stands for a whole store, and is a sum, so
that a write changes it without reading the rest (Bellare, Micciancio 1997, "A new paradigm for collision-free hashing").

Eight bytes: of 100,000 keys two differing states have one fingerprint with probability 5e-15 a comparison. Against
somebody who looks for such a pair that is too few; in a lab nobody does.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from gossiplab.errors import UserError

HASH = 8
"""Bytes of a fingerprint, and of a hash in a Merkle tree."""

Digest = dict[str, bytes]
"""The fingerprint of each key, keys ascending by code point."""


class Difference(msgspec.Struct, frozen=True):
    """The keys in which two digests differ: only here, only there, in both but not the same; each ascending."""

    here: tuple[str, ...]
    there: tuple[str, ...]
    unequal: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.here or self.there or self.unequal)


def encoding(state: object) -> bytes:
    """A state, anything that msgspec encodes, as JSON that equal ones share. Raises UserError for text that is not Unicode."""
    try:
        # in two steps, because the encoder by itself sorts names only, and the states count by number
        return msgspec.json.encode(msgspec.to_builtins(state, str_keys=True, order="deterministic"))
    except UnicodeEncodeError:
        raise UserError(
            "a value holds half of a surrogate pair, which no message can carry: remove it."
        ) from None


def fingerprint(state: object) -> bytes:
    """HASH bytes for a state. Raises UserError as `encoding` does."""
    return print_of(encoding(state))


def print_of(encoded: bytes) -> bytes:
    """The fingerprint of a state that is encoded already."""
    return blake2b(encoded, digest_size=HASH).digest()


def key_bytes(key: str) -> bytes:
    """A key as UTF-8, exactly as it is: keys that only look the same are not the same. Raises UserError."""
    try:
        return key.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"the key {key!a} holds half of a surrogate pair, which no message can carry: remove it."
        ) from None


def term(key: bytes, state: bytes) -> int:
    """What a key with this fingerprint contributes to a sum: 128 bits."""
    return int.from_bytes(
        blake2b(state + key, digest_size=16).digest(), "big"
    )  # `state` is HASH bytes: no ambiguity


def difference(here: Mapping[str, bytes], there: Mapping[str, bytes]) -> Difference:
    """In which keys two digests differ."""
    return Difference(
        tuple(sorted(key for key in here if key not in there)),
        tuple(sorted(key for key in there if key not in here)),
        tuple(sorted(key for key, state in here.items() if key in there and there[key] != state)),
    )
