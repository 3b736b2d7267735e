"use strict";
// What a static site does in place of the server: search, parts of the graph, and SPARQL by Oxigraph. Data come as scripts, which a page from disk may load.
(() => {
  const self = document.currentScript, root = self.dataset.root, base = self.dataset.base;
  const kept = {}, waiting = {};
  let store = null, everything = null;

  function script(path) {
    waiting[path] ??= new Promise((done, fail) => {
      const made = document.createElement("script");
      made.src = root + path;
      made.onload = done;
      made.onerror = () => fail(new Error(`${path} is missing from this site`));
      document.head.append(made);
    });
    return waiting[path];
  }
  async function data(name) {
    await script(`data/${name}.js`);
    return kept[name];
  }
  async function unpacked(name) {
    const bytes = Uint8Array.from(atob(await data(name)), (letter) => letter.charCodeAt(0));
    return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  }

  // -- names
  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();
  async function find(text, most) {
    const names = await data("search"), wanted = folded(text.trim());
    if (!wanted) return [];
    const score = ([, label, , aliases]) => {
      const all = [label, ...aliases].map(folded);
      return all[0] === wanted ? 4 : all.some((each) => each.startsWith(wanted)) ? 3 : all.some((each) => each.includes(` ${wanted}`)) ? 2 : all.some((each) => each.includes(wanted)) ? 1 : 0;
    };
    return names.entities.map((each) => [score(each), each]).filter(([points]) => points).sort((a, b) => b[0] - a[0] || (a[1][1] < b[1][1] ? -1 : 1)).slice(0, most).map(([, each]) => each);
  }
  async function suggest(text) {
    const found = await find(text, 10);
    return [text, found.map((each) => each[1]), found.map((each) => each[2]), found.map((each) => base + each[0])];
  }
  let paths = null;
  const link = (iri) => {
    if (iri.startsWith(`${base}ontology#`)) return `${root}ontology.html${iri.slice(base.length + 8)}`;
    if (iri.startsWith(base)) return paths?.has(iri.slice(base.length)) ? root + paths.get(iri.slice(base.length)) : "";
    return /^https?:/.test(iri) ? iri : "";
  };

  // -- parts of the graph
  const part = (ids) => ({ ...everything, nodes: everything.nodes.filter((node) => ids.has(node.id)), facts: everything.facts.filter((fact) => ids.has(fact.subject) && (fact.literal || ids.has(fact.object))), left_out: 0 });
  const resolve = (name) => {
    const wanted = folded(name), found = everything.nodes.find((node) => node.id === name || node.id === `${base}resource/${name}`) ?? everything.nodes.find((node) => folded(node.label) === wanted) ?? everything.nodes.find((node) => node.aliases.some((alias) => folded(alias) === wanted));
    if (!found) throw new Error(`${name} is not in the picture of this site`);
    return found.id;
  };
  function links() {
    const found = new Map(everything.nodes.map((node) => [node.id, []]));
    for (const fact of everything.facts) if (!fact.literal && found.has(fact.object)) { found.get(fact.subject).push(fact.object); found.get(fact.object).push(fact.subject); }
    return found;
  }
  function around(names, hops) {
    const near = links(), reached = new Set(names.map(resolve));
    let edge = [...reached];
    for (let step = 0; step < hops; step++) edge = edge.flatMap((id) => near.get(id)).filter((id) => !reached.has(id) && reached.add(id));
    return part(reached);
  }
  function path(one, other) {
    const near = links(), [start, end] = [resolve(one), resolve(other)], former = new Map([[start, start]]), queue = [start];
    for (const id of queue) for (const next of near.get(id)) if (!former.has(next)) { former.set(next, id); queue.push(next); }
    if (!former.has(end)) return { ...everything, nodes: [], facts: [] };
    const way = [end];
    while (way.at(-1) !== start) way.push(former.get(way.at(-1)));
    const found = part(new Set(way)), steps = new Set(way.slice(1).flatMap((id, number) => [`${id} ${way[number]}`, `${way[number]} ${id}`]));
    return { ...found, facts: found.facts.filter((fact) => steps.has(`${fact.subject} ${fact.object}`)) };
  }
  function ask_part(parameters) {
    const ends = parameters.getAll("path");
    return ends.length === 2 ? path(...ends) : around(parameters.getAll("about"), Number(parameters.get("hops") ?? 1));
  }
  async function first(all, parameters) {
    for (const node of all.nodes) if (node.href) node.href = root + node.href;
    for (const fact of all.facts) for (const each of fact.sentences) if (each.href) each.href = root + each.href;
    everything = all;
    if (parameters.get("query")) return draw(await ask(parameters.get("query")));
    const about = parameters.getAll("about").filter(Boolean);
    if (about.length) return around(about, Number(parameters.get("hops") || 1));
    const most = Number(parameters.get("nodes") || 300), degree = links();
    if (all.nodes.length <= most) return all;
    const best = [...all.nodes].sort((a, b) => degree.get(b.id).length - degree.get(a.id).length || (a.id < b.id ? -1 : 1)).slice(0, most);
    return { ...part(new Set(best.map((node) => node.id))), left_out: all.nodes.length - most + all.left_out };
  }

  // -- SPARQL
  async function engine() {
    if (store) return store;
    await script("vendor/oxigraph/oxigraph.min.js");
    const [wasm, quads, names] = await Promise.all([unpacked("wasm"), unpacked("graph"), data("search")]);
    paths = new Map([...names.entities.map((each) => [each[0], each[4]]), ...names.documents.map((each) => [each[0], each[3]])]);
    await Oxigraph.start({ module_or_path: wasm });
    const made = new Oxigraph.Store();
    made.load(new TextDecoder().decode(quads), { format: "application/n-quads", no_transaction: true });
    store = made;
    return store;
  }
  const bare = (query) => query.replace(/<[^<>\s]*>|"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|#[^\n]*/g, " ");
  async function ask(query) {
    const engineNow = await engine(), skeleton = bare(query), declared = new Set([...skeleton.matchAll(/PREFIX\s+([\w-]*):/gi)].map((found) => found[1]));
    const known = (await data("search")).prefixes;
    const head = Object.entries(known).filter(([name]) => !declared.has(name) && new RegExp(`(?:^|[^\\w-])${name}:`).test(skeleton)).map(([name, iri]) => `PREFIX ${name}: <${iri}> `).join("");
    const form = /\b(SELECT|ASK|CONSTRUCT|DESCRIBE)\b/i.exec(skeleton)?.[1].toUpperCase(), graph = form === "CONSTRUCT" || form === "DESCRIBE";
    try {
      const text = engineNow.query(head + query, { base_iri: base, results_format: graph ? "application/n-triples" : "application/sparql-results+json" });
      return { graph, text };
    } catch (error) {
      const message = String(error.message ?? error).replace(/error at (\d+):(\d+):/, (_, line, column) => `line ${line}, column ${line === "1" ? Math.max(1, column - head.length) : column}:`);
      throw { message, hint: "" };
    }
  }

  // The graph that triples make: IRIs and blank nodes are nodes; what is a fact of this site comes with its sentences.
  const NAMES = new Set(["http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#prefLabel", "https://schema.org/name", "http://xmlns.com/foaf/0.1/name"]);
  const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
  const local = (iri) => { const end = iri.split(/[/#]/).filter(Boolean).at(-1) ?? iri; try { return decodeURIComponent(end); } catch { return end; } };
  async function draw({ graph, text }) {
    if (!graph) throw new Error("Only a graph can be drawn: write the query as CONSTRUCT or DESCRIBE.");
    await script("static/query-views.js");
    const rows = window.kgViews.triples(text).results.bindings, nodes = new Map(), facts = [], own = new Map(everything.nodes.map((node) => [node.id, node]));
    const said = new Map(everything.facts.map((fact) => [`${fact.subject} ${base}ontology#${fact.predicate} ${fact.object}`, fact]));
    const id = (term) => (term.type === "bnode" ? "_:" : "") + term.value;
    const node = (term) => {
      const key = id(term);
      if (!nodes.has(key)) nodes.set(key, own.get(key) ? { ...own.get(key) } : { id: key, label: local(key), type: "Other", types: [], aliases: [], wikidata: null, documents: 0, href: term.type === "uri" ? link(key) : "" });
      return nodes.get(key);
    };
    rows.forEach(({ subject, predicate, object }, number) => {
      const one = node(subject);
      if (NAMES.has(predicate.value) && object.type === "literal") { one.label = object.value; return; }
      if (predicate.value === TYPE && object.type === "uri") { if (!one.types.includes(local(object.value))) one.types = [...one.types, local(object.value)]; return; }
      const literal = object.type === "literal", end = literal ? object.value : node(object).id, known = said.get(`${one.id} ${predicate.value} ${end}`);
      facts.push(known ?? { id: `t${number}`, subject: one.id, predicate: local(predicate.value), label: local(predicate.value), object: end, literal, start: null, end: null, when: null, confidence: null, documents: 0, sources: 0, href: "", sentences: [], more: 0 });
    });
    const made = [...nodes.values()].map((each) => (each.types.length ? { ...each, type: each.types[0] } : { ...each, types: ["Other"] }));
    return { nodes: made.slice(0, 5000), facts, colours: everything.colours, left_out: Math.max(0, made.length - 5000) };
  }

  window.kgSite = { take: (name, value) => { kept[name] = value; }, suggest, link, first, part: async (parameters) => ask_part(parameters), ask };

  // Search boxes of other pages ask for suggestions by address: they are answered here.
  const fetched = window.fetch;
  window.fetch = async (address, options) => {
    const found = new URL(String(address?.url ?? address), location.href);
    if (!found.pathname.endsWith("/suggest")) return fetched(address, options);
    return new Response(JSON.stringify(await suggest(found.searchParams.get("q") ?? "")), { headers: { "Content-Type": "application/json" } });
  };

  // -- the page of search
  async function hits() {
    const box = document.getElementById("hits"), text = new URLSearchParams(location.search).get("q") ?? "";
    if (!box) return;
    if (!text.trim()) { document.body.dataset.state = "ready"; return; }
    document.querySelectorAll('input[name="q"]').forEach((field) => { field.value = text; });
    const names = await data("search"), wanted = folded(text.trim());
    const titles = names.documents.filter(([, label]) => folded(label).includes(wanted)).slice(0, 50);
    const sentences = names.sentences.filter(([quote]) => folded(quote).includes(wanted)).slice(0, 50);
    const list = (title, rows) => {
      if (!rows.length) return;
      const head = document.createElement("h2"), made = document.createElement("ul");
      head.textContent = title;
      made.className = "plain rows";
      for (const [label, path, note] of rows) {
        const row = document.createElement("li"), anchor = document.createElement(path ? "a" : "span"), small = document.createElement("span");
        anchor.textContent = label; anchor.dir = "auto";
        if (path) anchor.href = root + path;
        small.textContent = ` ${note}`; small.className = "small";
        row.append(anchor, small);
        made.append(row);
      }
      box.append(head, made);
    };
    box.replaceChildren();
    list("Entities", (await find(text, 100)).map((each) => [each[1], each[4], each[2]]));
    list("Sentences", sentences.map(([quote, path]) => [quote, path, ""]));
    list("Documents", titles.map(([, label, date, path]) => [label, path, date]));
    if (!box.children.length) box.textContent = "Nothing fits. Fewer words find more; part of a name is enough.";
    document.body.dataset.state = "ready";
  }
  document.addEventListener("DOMContentLoaded", hits);
})();
