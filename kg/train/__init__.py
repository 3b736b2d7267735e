"""Teaches the encoder a domain: ontology and annotated documents in, a small model out. Needs the extra kg[train]."""
