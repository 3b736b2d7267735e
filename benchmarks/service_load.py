"""What the service does under load, beside Oxigraph's own server in the same run.

    python -m benchmarks.service_load [--people 60000] [--seconds 4] [--clients 8] [--rounds 3]

Makes a graph of people, brands and campaigns with a fixed seed (60,000 people: a million triples), serves it with `kg serve` and, where the
package `oxigraph` is installed, with `oxigraph serve-read-only`, and asks both the same queries in turns: requests a second, and processor
time of the server for one request, which other work on the machine moves less. Then: a small write until the next query sees it, what the
others notice of a client with endless queries, how soon such a query is really gone, and how long the server takes to be ready.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

EX = "http://bench.example/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def triples(people: int) -> Iterator[ox.Triple]:
    """People who front campaigns of brands that companies own; about 17 triples a person."""
    draw = random.Random(11)
    brands, companies = max(20, people // 60), max(5, people // 400)

    def node(kind: str, number: int) -> ox.NamedNode:
        return ox.NamedNode(f"{EX}{kind}/{number}")

    def term(name: str) -> ox.NamedNode:
        return ox.NamedNode(EX + name)

    a = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    for number in range(companies):
        yield ox.Triple(node("company", number), term("within"), node("company", number // 3))
    for number in range(brands):
        yield ox.Triple(node("brand", number), ox.NamedNode(LABEL), ox.Literal(f"Brand {number}"))
        yield ox.Triple(node("brand", number), term("ownedBy"), node("company", draw.randrange(companies)))
    for number in range(people):
        person = node("person", number)
        yield ox.Triple(person, a, term("Person"))
        surname = draw.choice(("Adams", "Baker", "Clark", "Davis", "Evans"))
        yield ox.Triple(person, ox.NamedNode(LABEL), ox.Literal(f"Person {number} {surname}"))
        yield ox.Triple(person, term("born"), ox.Literal(str(1940 + draw.randrange(65))))
        for deal in range(draw.randrange(1, 4)):
            role = node("role", number * 4 + deal)
            yield ox.Triple(role, a, term("Role"))
            yield ox.Triple(role, term("person"), person)
            yield ox.Triple(role, term("brand"), node("brand", int(brands * draw.random() ** 2)))
            yield ox.Triple(role, term("since"), ox.Literal(str(1990 + draw.randrange(36))))
            yield ox.Triple(role, term("sentence"), ox.Literal(f"Person {number} signed deal {deal} of the season."))
            yield ox.Triple(person, term("fronts"), node("brand", int(brands * draw.random() ** 2)))


def queries(people: int) -> dict[str, list[str]]:
    """By name; those of a list differ, so that the first round is answered anew."""
    draw = random.Random(5)
    brands, companies = max(20, people // 60), max(5, people // 400)
    return {
        "look-up": [f"SELECT ?p ?o {{ <{EX}person/{draw.randrange(people)}> ?p ?o }}" for _ in range(400)],
        "three hops": [
            f"SELECT DISTINCT ?who ?b {{ ?b <{EX}ownedBy> <{EX}company/{draw.randrange(companies)}> ."
            f" ?r <{EX}brand> ?b ; <{EX}person> ?who }} LIMIT 50"
            for _ in range(400)
        ],
        "aggregation": [
            f"SELECT ?b (COUNT(DISTINCT ?p) AS ?n) {{ ?r <{EX}brand> ?b ; <{EX}person> ?p }} GROUP BY ?b ORDER BY DESC(?n) LIMIT 10"
        ],
        "text and option": [
            f"SELECT ?x ?l ?y {{ ?x <{LABEL}> ?l OPTIONAL {{ ?x <{EX}born> ?y }}"
            f' FILTER regex(?l, "{draw.randrange(people)} c", "i") }} LIMIT 20'
            for _ in range(20)
        ],
        "path": [f"SELECT DISTINCT ?b {{ ?b <{EX}ownedBy>/<{EX}within>* <{EX}company/{draw.randrange(companies)}> }}" for _ in range(100)],
        "of a brand": [f"SELECT ?b {{ <{EX}brand/{draw.randrange(brands)}> <{EX}ownedBy> ?b }}" for _ in range(400)],
    }


def tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    return [pid, *(each for child in children for each in tree(int(child)))]


def processor_seconds(pid: int) -> float:
    """Of a process, its children and those of them that ended."""
    ticks = 0
    for each in tree(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as trial:
        return int(trial.getsockname()[1])


def ask(connection: http.client.HTTPConnection, path: str, query: str) -> int:
    connection.request("GET", f"{path}?query={quote(query)}", headers={"Accept": "application/sparql-results+json"})
    response = connection.getresponse()
    response.read()
    return response.status


def load(port: int, path: str, asked: list[str], seconds: float, clients: int) -> list[float]:
    """Seconds of every answer that came in the time."""
    found: list[float] = []
    stop = time.monotonic() + seconds

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        turn = number * 37
        while time.monotonic() < stop:
            began = time.perf_counter()
            if ask(connection, path, asked[turn % len(asked)]) == 200:
                found.append(time.perf_counter() - began)
            turn += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@contextmanager
def running(arguments: list[str], port: int, path: str, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    began = time.monotonic()
    process = subprocess.Popen(arguments, env={**os.environ, **environment}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                if ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), path, "ASK {}") == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield process, time.monotonic() - began
    finally:
        process.terminate()
        process.wait()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def compare(servers: dict[str, tuple[int, str, int]], asked: dict[str, list[str]], options: argparse.Namespace) -> None:
    for name, texts in asked.items():
        rates: dict[str, list[float]] = {server: [] for server in servers}
        costs: dict[str, list[float]] = {server: [] for server in servers}
        for _ in range(options.rounds):
            for server, (port, path, pid) in servers.items():
                before = processor_seconds(pid)
                answers = load(port, path, texts, options.seconds, options.clients)
                rates[server].append(len(answers) / options.seconds)
                costs[server].append((processor_seconds(pid) - before) / max(1, len(answers)))
        row = [
            f"{server} {statistics.median(rates[server]):.0f}/s {1e3 * statistics.median(costs[server]):.2f} ms of processor"
            for server in servers
        ]
        if len(servers) == 2:
            ours, theirs = (statistics.median(rates[server]) for server in ("kg", "oxigraph"))
            cost, other = (statistics.median(costs[server]) for server in ("kg", "oxigraph"))
            row.append(f"ratio {ours / theirs:.2f}, by processor time {other / cost:.2f}")
        print(f"{name}: {'; '.join(row)}", flush=True)


def write_and_see(port: int, count: int = 100) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/sparql-update", "Authorization": "Bearer load"}
    seconds = []
    for number in range(count):
        began = time.perf_counter()
        connection.request("POST", "/update", f"INSERT DATA {{ <{EX}w/{number}> <{EX}at> {number} }}", headers)
        response = connection.getresponse()
        response.read()
        if response.status != 204:
            raise SystemExit(f"an update was answered by {response.status}")
        connection.request(
            "GET", f"/sparql?query={quote(f'ASK {{ <{EX}w/{number}> ?p ?o }}')}", headers={"Accept": "application/sparql-results+json"}
        )
        if not json.loads(connection.getresponse().read())["boolean"]:
            raise SystemExit("a query sent after a write was answered does not see it")
        seconds.append(time.perf_counter() - began)
    print(
        f"a small write, seen by the next query: p50 {1e3 * percentile(seconds, 0.5):.1f} ms, p95 {1e3 * percentile(seconds, 0.95):.1f} ms"
    )


def beside_endless(port: int, texts: list[str], options: argparse.Namespace) -> None:
    """What the others notice of a client with endless queries, while they ask for about a third of what the server can do."""
    stopped = threading.Event()
    ended: list[float] = []

    def others() -> list[float]:
        return load(port, "/sparql", texts, options.seconds, max(1, options.clients // 3))

    def runaway() -> None:
        while not stopped.is_set():
            began = time.monotonic()
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=120), "/sparql", ENDLESS)
            ended.append(time.monotonic() - began)

    alone = others()
    thread = threading.Thread(target=runaway)
    thread.start()
    time.sleep(0.5)
    beside = others()
    stopped.set()
    thread.join()
    there, without = (1e3 * percentile(seconds, 0.95) for seconds in (beside, alone))
    print(f"p95 of the others beside a client with endless queries: {there:.1f} ms, alone {without:.1f} ms")
    print(f"an endless query was answered after {max(ended):.2f} s with a limit of {options.limit} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("people", 60_000), ("clients", 8), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, seconds in (("seconds", 4.0), ("limit", 3.0)):
        parser.add_argument(f"--{name}", type=float, default=seconds)
    options = parser.parse_args()
    oxigraph = shutil.which("oxigraph", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "graph.nt"
        with data.open("wb") as file:
            ox.serialize(triples(options.people), file, format=ox.RdfFormat.N_TRIPLES)
        place = Path(folder) / "store"
        code = "import sys; from kg.store import open_store; import pyoxigraph as ox; s = open_store(sys.argv[1], create=True); "
        code += "s.engine.bulk_load(path=sys.argv[2], format=ox.RdfFormat.N_TRIPLES); print(len(s.engine)); s.close()"
        print(
            "triples:", subprocess.run([sys.executable, "-c", code, place, data], check=True, capture_output=True, text=True).stdout.strip()
        )
        port, other = free_port(), free_port()
        ours = [sys.executable, "-m", "kg", "--store", str(place), "serve", "--port", str(port)]
        settings = {"KG_TOKEN": "load", "KG_QUERY_SECONDS": str(options.limit)}
        asked = queries(options.people)
        with running(ours, port, "/sparql", KG_CACHE_MEGABYTES="0", **settings) as (process, ready):
            print(f"ready after {ready:.1f} s")
            servers = {"kg": (port, "/sparql", process.pid)}
            if oxigraph is None:
                compare(servers, asked, options)
            else:
                subprocess.run([oxigraph, "load", "--location", f"{folder}/ox", "--file", str(data)], check=True, capture_output=True)
                theirs = [oxigraph, "serve-read-only", "--location", f"{folder}/ox", "--bind", f"127.0.0.1:{other}"]
                with running(theirs, other, "/query") as (reference, _):
                    compare({"oxigraph": (other, "/query", reference.pid), **servers}, asked, options)
            write_and_see(port)
            beside_endless(port, asked["look-up"], options)
        with running(ours, port, "/sparql", **settings) as (process, _):
            print("answered again from what was kept:")
            compare({"kg": (port, "/sparql", process.pid)}, {"of a brand": asked["of a brand"]}, options)


if __name__ == "__main__":
    main()
