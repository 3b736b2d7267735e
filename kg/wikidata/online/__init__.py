"""Wikidata and reconciliation services over the network: one client layer, three back ends, answers kept as data."""

from __future__ import annotations

from kg.wikidata.online.action import ActionApi, Entity, Hit
from kg.wikidata.online.answers import Answers, Reply, ask_all
from kg.wikidata.online.connection import Connection
from kg.wikidata.online.entities import read_class, read_entities, read_ids, write_dump
from kg.wikidata.online.finding import ActionFinder, Finder, Found, ReconciliationFinder, Wanted, connect, create_finder
from kg.wikidata.online.offered import SERVICE_TYPES, as_candidates
from kg.wikidata.online.reconciliation import PropertyValue, Query, ReconciliationClient
from kg.wikidata.online.sparql import QueryService

__all__ = [
    "SERVICE_TYPES",
    "ActionApi",
    "ActionFinder",
    "Answers",
    "Connection",
    "Entity",
    "Finder",
    "Found",
    "Hit",
    "PropertyValue",
    "Query",
    "QueryService",
    "ReconciliationClient",
    "ReconciliationFinder",
    "Reply",
    "Wanted",
    "as_candidates",
    "ask_all",
    "connect",
    "create_finder",
    "read_class",
    "read_entities",
    "read_ids",
    "write_dump",
]
