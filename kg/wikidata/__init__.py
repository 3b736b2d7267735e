"""Wikidata offline: an index of items made from dumps and tables, look-ups in it, and the choice among what they give."""
