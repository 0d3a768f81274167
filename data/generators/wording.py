"""Lists of words and phrases, written as text."""

from __future__ import annotations


def words(text: str) -> list[str]:
    """What white space parts."""
    return text.split()


def phrases(text: str) -> list[str]:
    """What "|" parts; one may be empty."""
    return [phrase.strip() for phrase in text.split("|")]
