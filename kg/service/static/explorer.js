"use strict";
// The explorer. The part of the graph to begin with stands in the page; more is asked for from the server, or in a static site from the page itself.
// What is chosen and filtered stands behind the # of the address, so that a link restores it. Names and sentences are set as text, never as markup.
(() => {
  const picture = window.kgPicture, site = window.kgSite;
  const place = (id) => document.getElementById(id);
  const block = place("data");
  const nodes = new Map(), facts = new Map(), around = new Map(), colours = {};
  const graph = new graphology.MultiDirectedGraph();
  const hidden = { types: new Set(), predicates: new Set() };
  const filter = { from: null, to: null, undated: true, sure: 0 };
  const opened = new Set();
  let leftOut = 0, chosen = null, pointed = null, way = null, renderer = null, seenNodes = new Set(), seenFacts = new Set(), years = [0, 0], known = null;

  // -- elements
  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made[key] = value;
    return made;
  };
  const button = (text, onclick, attributes = {}) => element("button", text, { type: "button", onclick, ...attributes });
  const colour = (type) => (colours[type] ?? ["#c8c8c8", "#5c5c5c"])[picture.dark.matches ? 0 : 1];
  const dot = (type) => {
    const made = element("span", undefined, { className: "dot", ariaHidden: "true" });
    made.style.background = colour(type);
    return made;
  };
  const cut = (text, most) => (text.length > most ? Array.from(text).slice(0, most).join("") + "…" : text);
  const label = (id) => nodes.get(id)?.label ?? id;
  const tell = (text) => { place("status").textContent = text; };
  const many = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

  // -- what is loaded
  function add(part) {
    Object.assign(colours, part.colours);
    const fresh = new Set();
    for (const node of part.nodes) {
      if (nodes.has(node.id)) continue;
      nodes.set(node.id, node);
      around.set(node.id, []);
      graph.addNode(node.id, { x: 0, y: 0, size: 4, label: cut(node.label, 48) });
      fresh.add(node.id);
    }
    for (const fact of part.facts) {
      if (facts.has(fact.id) || !nodes.has(fact.subject) || (!fact.literal && !nodes.has(fact.object))) continue;
      facts.set(fact.id, fact);
      around.get(fact.subject).push(fact);
      if (fact.literal) continue;
      if (fact.object !== fact.subject) around.get(fact.object).push(fact);
      graph.addDirectedEdgeWithKey(fact.id, fact.subject, fact.object, { label: fact.label });
    }
    graph.forEachNode((id) => graph.setNodeAttribute(id, "size", 3.5 + 1.3 * Math.sqrt(graph.degree(id))));
    picture.place(graph, fresh, (id) => graph.degree(id));
    return fresh;
  }

  async function ask(parameters) {
    if (site) return site.part(parameters);
    parameters.append("format", "json");
    const response = await fetch(`${block.dataset.graph}?${parameters}`, { headers: { Accept: "application/json" } });
    const body = await response.json();
    if (!response.ok) throw new Error([body.error.message, body.error.hint].filter(Boolean).join(": "));
    return body;
  }

  async function expand(id) {
    const before = nodes.size;
    try {
      const fresh = add(await ask(new URLSearchParams([["about", id], ["hops", "1"], ["nodes", "1000"]])));
      opened.add(id);
      rebuild();
      tell(fresh.size ? `${many(nodes.size - before, "node")} around ${cut(label(id), 40)} added` : `Everything around ${cut(label(id), 40)} is here already`);
      if (fresh.size) picture.arrange(graph, 80, ready);
    } catch (error) { tell(error.message); }
  }

  // -- filters
  const year = (date) => Number(String(date).slice(0, 4));
  function isIn(fact) {
    if (hidden.predicates.has(fact.label) || (fact.confidence ?? 1) < filter.sure) return false;
    if (filter.from === null && filter.to === null && filter.undated) return true;
    if (!fact.when) return filter.undated;
    const [start, end] = fact.when;
    return !(filter.from !== null && end && year(end) < filter.from) && !(filter.to !== null && start && year(start) > filter.to);
  }
  function sieve() {
    seenFacts = new Set(); seenNodes = new Set();
    const linked = new Set();
    for (const fact of facts.values()) {
      if (!isIn(fact) || hidden.types.has(nodes.get(fact.subject).type) || (!fact.literal && hidden.types.has(nodes.get(fact.object).type))) continue;
      seenFacts.add(fact.id);
      linked.add(fact.subject);
      if (!fact.literal) linked.add(fact.object);
    }
    const narrowed = hidden.predicates.size || filter.sure > 0 || filter.from !== null || filter.to !== null || !filter.undated;
    for (const [id, node] of nodes) if (!hidden.types.has(node.type) && (!narrowed || linked.has(id))) seenNodes.add(id);
  }
  function apply() {
    sieve();
    list();
    tell(`${many(seenNodes.size, "node")}, ${many(seenFacts.size, "fact")}${seenFacts.size < facts.size ? ` of ${facts.size.toLocaleString("en")}` : ""}${leftOut ? `; ${leftOut.toLocaleString("en")} less connected are left out` : ""}`);
    redraw();
    remember();
  }

  function ticks(box, title, counts, set, paint) {
    const open = box.dataset.open === "1", rows = [...counts].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
    box.replaceChildren(element("legend", title));
    for (const [name, count] of open ? rows : rows.slice(0, 12)) {
      const row = element("label", undefined, { className: "tick" });
      const tick = element("input", undefined, { type: "checkbox", checked: !set.has(name) });
      tick.addEventListener("change", () => { if (tick.checked) set.delete(name); else set.add(name); apply(); });
      row.append(tick, ...(paint ? [dot(name)] : []), element("span", name), element("span", count.toLocaleString("en")));
      box.append(row);
    }
    if (rows.length > 1) {
      const all = button(set.size ? "show all" : "hide all", () => { if (set.size) set.clear(); else rows.forEach(([name]) => set.add(name)); filters(); apply(); }, { className: "many" });
      box.append(all);
    }
    if (!open && rows.length > 12) box.append(" ", button(`all ${rows.length}`, () => { box.dataset.open = "1"; filters(); }, { className: "many" }));
  }
  function filters() {
    const kinds = new Map(), predicates = new Map();
    for (const node of nodes.values()) kinds.set(node.type, (kinds.get(node.type) ?? 0) + 1);
    for (const fact of facts.values()) predicates.set(fact.label, (predicates.get(fact.label) ?? 0) + 1);
    ticks(place("kinds"), "Types", kinds, hidden.types, true);
    ticks(place("predicates"), "Predicates", predicates, hidden.predicates, false);
    const dated = [...facts.values()].flatMap((fact) => (fact.when ?? []).filter(Boolean).map(year)).filter((each) => each > 0);
    years = dated.length ? [dated.reduce((a, b) => Math.min(a, b)), dated.reduce((a, b) => Math.max(a, b))] : [0, 0];
    place("time").hidden = years[0] === years[1];
    for (const [id, bound, usual] of [["from", filter.from, years[0]], ["to", filter.to, years[1]]]) {
      place(id).min = years[0]; place(id).max = years[1]; place(id).value = bound ?? usual;
    }
    place("undated").checked = filter.undated;
    place("confidence").value = filter.sure;
    figures();
    place("names").replaceChildren(...[...nodes.values()].slice(0, 1000).map((node) => element("option", undefined, { value: node.label })));
  }
  function figures() {
    place("span").textContent = `${filter.from ?? years[0]} – ${filter.to ?? years[1]}`;
    place("sure").textContent = `from ${filter.sure}`;
  }
  function slide() {
    let [from, to] = [Number(place("from").value), Number(place("to").value)];
    if (from > to) [from, to] = [to, from];
    filter.from = from > years[0] ? from : null;
    filter.to = to < years[1] ? to : null;
    filter.undated = place("undated").checked;
    filter.sure = Number(place("confidence").value);
    figures();
    apply();
  }

  // -- details
  const goto = (id) => button(cut(label(id), 200), () => choose({ node: id }, true, true), { dir: "auto" });
  const period = (fact) => (fact.start || fact.end ? ` (${fact.start ?? ""} – ${fact.end ?? ""})` : "");
  function quotes(fact) {
    const box = document.createDocumentFragment();
    for (const { quote, document: title, published, href } of fact.sentences) {
      const figure = element("figure", undefined, { className: "sentence" });
      const caption = element("figcaption");
      caption.append(href ? element("a", title, { href, dir: "auto" }) : title, published ? `, ${published}` : "");
      figure.append(element("blockquote", quote, { dir: "auto" }), caption);
      box.append(figure);
    }
    if (fact.more) box.append(element("p", `and ${many(fact.more, "more sentence")}`, { className: "small" }));
    return box;
  }
  function aboutNode(id) {
    const node = nodes.get(id), made = document.createDocumentFragment();
    made.append(element("h2", cut(node.label, 400), { dir: "auto", tabIndex: -1 }));
    const kind = element("div", undefined, { className: "small" });
    kind.append(dot(node.type), ` ${node.types.join(", ")}`, node.documents ? ` · ${many(node.documents, "document")}` : "");
    made.append(kind);
    if (node.aliases.length) made.append(element("div", `also ${cut(node.aliases.join(" · "), 300)}`, { className: "small", dir: "auto" }));
    const acts = element("div", undefined, { className: "acts" });
    acts.append(button("Expand", () => expand(id)), button("Path from here", () => { place("controls").open = true; place("way-from").value = node.label; place("way-to").focus(); }));
    const links = element("p");
    if (node.href) links.append(element("a", "Page", { href: node.href }), " ");
    if (node.wikidata) links.append(element("a", `Wikidata ${node.wikidata}`, { href: `https://www.wikidata.org/wiki/${encodeURIComponent(node.wikidata)}`, rel: "noreferrer" }));
    made.append(acts, links);
    const groups = new Map();
    for (const fact of around.get(id)) {
      if (!seenFacts.has(fact.id)) continue;
      const title = fact.subject === id ? fact.label : `${fact.label} ←`;
      groups.set(title, [...(groups.get(title) ?? []), fact]);
    }
    for (const [title, members] of [...groups].sort((one, other) => (one[0] < other[0] ? -1 : 1))) {
      const rows = element("ul");
      for (const fact of members.slice(0, 100)) {
        const row = element("li"), other = fact.subject === id ? fact.object : fact.subject;
        row.append(fact.literal ? element("span", cut(fact.object, 600), { dir: "auto" }) : goto(other), period(fact), " ");
        if (fact.sentences.length) row.append(button(many(fact.sentences.length + fact.more, "sentence"), () => choose({ fact: fact.id }), { className: "small" }));
        rows.append(row);
      }
      made.append(element("h3", title), rows);
      if (members.length > 100) made.append(element("p", `and ${members.length - 100} more`, { className: "small" }));
    }
    if (!groups.size) made.append(element("p", "No facts are shown. Expand looks for more.", { className: "small" }));
    return made;
  }
  function aboutFacts(id) {
    const first = facts.get(id), made = document.createDocumentFragment();
    const ends = new Set([first.subject, first.object]);
    const same = first.literal ? [first] : [first, ...around.get(first.subject).filter((each) => each.id !== id && ends.has(each.object) && ends.has(each.subject) && seenFacts.has(each.id))];
    for (const fact of same) {
      const one = element("section", undefined, { className: "one" }), title = element("h2", undefined, { tabIndex: -1 });
      title.append(goto(fact.subject), element("span", ` ${fact.label} `, { className: "predicate" }), fact.literal ? element("span", cut(fact.object, 600), { dir: "auto" }) : goto(fact.object));
      const rows = element("dl");
      const tellRow = (name, value) => { if (value) rows.append(element("dt", name), element("dd", value)); };
      tellRow("from", fact.start); tellRow("to", fact.end);
      if (fact.confidence !== null) tellRow("confidence", String(fact.confidence));
      if (fact.documents) tellRow("said in", `${many(fact.documents, "document")}, ${many(fact.sources, "source")}`);
      one.append(title, rows, quotes(fact));
      if (fact.href) { const line = element("p"); line.append(element("a", "This fact", { href: fact.href })); one.append(line); }
      made.append(one);
    }
    return made;
  }
  function show(focus) {
    const panel = place("detail");
    panel.hidden = chosen === null && way === null;
    if (!panel.hidden) {
      const close = button("×", () => { way = null; choose(null); }, { className: "close", ariaLabel: "Close" });
      panel.replaceChildren(close, chosen?.fact ? aboutFacts(chosen.fact) : chosen?.node ? aboutNode(chosen.node) : aboutWay());
      panel.scrollTop = 0;
      if (focus) panel.querySelector("h2")?.focus();
    }
    renderer?.resize();
  }

  function choose(what, move, focus) {
    chosen = what;
    if (what?.node) hidden.types.delete(nodes.get(what.node).type);
    if (what) way = null;
    sieve();
    show(focus);
    redraw();
    remember();
    if (renderer && move && what?.node) travel([what.node]);
  }
  function travel(ids) {
    const at = ids.map((id) => renderer.getNodeDisplayData(id)), camera = renderer.getCamera();
    const mean = (axis) => at.reduce((sum, each) => sum + each[axis], 0) / at.length;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    camera.animate({ x: mean("x"), y: mean("y"), ratio: ids.length > 1 ? 0.8 : Math.min(camera.ratio, graph.order > 300 ? 0.25 : 0.55) }, { duration: calm ? 0 : 300 });
  }

  // -- shortest path
  const named = (text) => {
    const wanted = text.trim().toLocaleLowerCase();
    if (nodes.has(text.trim())) return text.trim();
    const found = [...nodes.values()].find((node) => node.label.toLocaleLowerCase() === wanted) ?? [...nodes.values()].find((node) => node.aliases.some((alias) => alias.toLocaleLowerCase() === wanted));
    return found?.id ?? text.trim();
  };
  async function findWay(one, other) {
    try {
      const part = await ask(new URLSearchParams([["path", one], ["path", other]]));
      if (!part.nodes.length) { tell(`No way leads from ${label(one)} to ${label(other)}.`); return; }
      const fresh = add(part);
      way = { nodes: new Set(part.nodes.map((node) => node.id)), facts: new Set(part.facts.map((fact) => fact.id)), ends: [named(one), named(other)] };
      chosen = null;
      if (fresh.size) { rebuild(); picture.arrange(graph, 60, ready); }
      show(true); redraw(); remember();
      tell(`A shortest path of ${many(way.nodes.size - 1, "step")}`);
      if (renderer) travel([...way.nodes]);
    } catch (error) { tell(error.message); }
  }
  function aboutWay() {
    const made = document.createDocumentFragment();
    made.append(element("h2", `${label(way.ends[0])} → ${label(way.ends[1])}`, { tabIndex: -1 }), element("p", `A shortest path: ${many(way.nodes.size - 1, "step")}.`, { className: "small" }));
    const left = new Set(way.facts), rows = element("ol");
    let here = way.ends[0];
    while (here !== way.ends[1] && left.size) {
      const step = [...left].map((id) => facts.get(id)).filter((fact) => fact.subject === here || fact.object === here);
      if (!step.length) break;
      const next = step[0].subject === here ? step[0].object : step[0].subject;
      for (const fact of step) {
        if (![fact.subject, fact.object].includes(next)) continue;
        left.delete(fact.id);
        const row = element("li");
        row.append(goto(fact.subject), element("span", ` ${fact.label} `, { className: "predicate" }), goto(fact.object), period(fact), quotes(fact));
        rows.append(row);
      }
      here = next;
    }
    made.append(rows);
    return made;
  }

  // -- search: what is loaded, then what the server knows
  let asked = 0;
  async function search() {
    const text = place("find").value.trim(), wanted = text.toLocaleLowerCase(), box = place("found"), mine = ++asked;
    if (!text) { box.replaceChildren(); place("find").ariaExpanded = "false"; return; }
    const rank = (node) => (node.label.toLocaleLowerCase().startsWith(wanted) ? 1e6 : 0) + graph.degree(node.id);
    const local = [...nodes.values()].filter((node) => [node.label, ...node.aliases].some((each) => each.toLocaleLowerCase().includes(wanted))).sort((a, b) => rank(b) - rank(a)).slice(0, 12);
    const rows = local.map((node) => [node.id, node.label, node.type, ""]);
    const fill = () => {
      box.replaceChildren(...rows.map(([id, name, type, note]) => {
        const row = element("li"), made = button(undefined, () => pick(id));
        made.append(dot(type), element("span", cut(name, 80), { dir: "auto" }), element("span", [type, note].filter(Boolean).join(" · "), { className: "small" }));
        row.append(made);
        return row;
      }));
      if (!rows.length) box.append(element("li", "Nothing is called that.", { className: "small" }));
      place("find").ariaExpanded = "true";
    };
    fill();
    if (place("find").dataset.local === "1") return;
    try {
      const response = await fetch(`${block.dataset.suggest}?q=${encodeURIComponent(text)}`);
      if (!response.ok || mine !== asked) return;
      const [, labels, types, iris] = await response.json();
      iris.forEach((iri, number) => { if (!nodes.has(iri)) rows.push([iri, labels[number], types[number], "not loaded yet"]); });
      if (mine === asked) fill();
    } catch { /* the names that are loaded are enough */ }
  }
  async function pick(id) {
    place("found").replaceChildren();
    place("find").ariaExpanded = "false";
    if (!nodes.has(id)) await expand(id);
    if (nodes.has(id)) choose({ node: id }, true, true);
  }

  // -- the same as a list
  function list() {
    const rows = [...seenFacts].slice(0, 500).map((id) => {
      const fact = facts.get(id), row = element("tr");
      const cell = (content) => { const made = element("td", undefined, { dir: "auto" }); made.append(content); row.append(made); };
      cell(goto(fact.subject));
      cell(button(fact.label, () => choose({ fact: id }, false, true)));
      cell(fact.literal ? cut(fact.object, 300) : goto(fact.object));
      cell(fact.start || fact.end ? `${fact.start ?? ""} – ${fact.end ?? ""}` : "");
      cell(fact.confidence === null ? "" : String(fact.confidence));
      return row;
    });
    place("rows").replaceChildren(...rows);
    place("rest").textContent = seenFacts.size > 500 ? `The first 500 of ${seenFacts.size.toLocaleString("en")} facts.` : "";
  }

  // -- the address
  function remember() {
    if (!known) return; // not before what it held is restored
    const state = new URLSearchParams();
    if (chosen?.node) state.set("focus", chosen.node);
    if (chosen?.fact) state.set("fact", chosen.fact);
    if (way) way.ends.forEach((end) => state.append("way", end));
    hidden.types.forEach((each) => state.append("hide", each));
    hidden.predicates.forEach((each) => state.append("without", each));
    [...opened].slice(-20).forEach((each) => state.append("open", each));
    if (filter.from !== null) state.set("from", filter.from);
    if (filter.to !== null) state.set("to", filter.to);
    if (!filter.undated) state.set("undated", "0");
    if (filter.sure) state.set("sure", filter.sure);
    const text = state.toString();
    if (text !== known.text) { known.text = text; history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search); }
  }
  async function restore() {
    const state = new URLSearchParams(location.hash.slice(1)), number = (name) => (state.has(name) && !isNaN(state.get(name)) ? Number(state.get(name)) : null);
    for (const id of state.getAll("open").slice(0, 20)) await expand(id);
    state.getAll("hide").forEach((each) => hidden.types.add(each));
    state.getAll("without").forEach((each) => hidden.predicates.add(each));
    Object.assign(filter, { from: number("from"), to: number("to"), undated: state.get("undated") !== "0", sure: number("sure") ?? 0 });
    filters();
    known = { text: location.hash.slice(1) };
    apply();
    if (nodes.has(state.get("focus"))) choose({ node: state.get("focus") }, true);
    if (facts.has(state.get("fact"))) choose({ fact: state.get("fact") });
    if (state.getAll("way").length === 2) await findWay(...state.getAll("way"));
  }

  // -- the picture
  const redraw = () => renderer?.refresh({ skipIndexation: true });
  const rebuild = () => { filters(); apply(); };
  const ready = () => { document.body.dataset.state = "ready"; };
  function centres() {
    if (pointed) return new Set([pointed]);
    if (way) return way.nodes;
    if (chosen?.node) return new Set([chosen.node]);
    const fact = chosen?.fact && facts.get(chosen.fact);
    return fact ? new Set([fact.subject, fact.object]) : null;
  }
  function nodeLook(id, given) {
    const look = { ...given, color: colour(nodes.get(id).type) }, { pale } = picture.theme.now;
    if (!seenNodes.has(id)) return { ...look, hidden: true };
    const middle = centres.now;
    if (!middle) return look;
    if (middle.has(id)) return { ...look, highlighted: middle.size === 1, forceLabel: true, zIndex: 2 };
    if (!way && middle.size === 1 && graph.areNeighbors(id, [...middle][0])) return { ...look, forceLabel: graph.degree([...middle][0]) < 60, zIndex: 1 };
    return { ...look, color: pale, label: "" };
  }
  function edgeLook(id, given) {
    const { line, soft, accent } = picture.theme.now, look = { ...given, color: line, size: graph.size > 400 ? 1.5 : 2.2, ...(graph.size > 150 ? { label: "" } : {}) };
    if (!seenFacts.has(id)) return { ...look, hidden: true };
    const middle = centres.now;
    if (!middle) return look;
    const strong = { ...look, label: given.label, color: soft, size: 2, forceLabel: true, zIndex: 1 };
    if (way) return way.facts.has(id) ? { ...strong, color: accent, size: 3 } : { ...look, hidden: !pointed || !graph.hasExtremity(id, pointed) };
    if (chosen?.fact && !pointed) return id === chosen.fact ? { ...strong, color: accent, size: 3.5 } : { ...look, hidden: true };
    return graph.hasExtremity(id, [...middle][0]) ? strong : { ...look, hidden: true };
  }
  function draw() {
    const look = picture.theme.now = picture.theme();
    renderer = new Sigma(graph, place("canvas"), {
      allowInvalidContainer: true, enableEdgeEvents: true, defaultEdgeType: "arrow", labelFont: "system-ui, sans-serif", labelSize: 13, labelColor: { color: look.ink },
      stagePadding: place("canvas").clientWidth > 700 ? 40 : 25, labelDensity: 0.6, labelGridCellSize: 100, labelRenderedSizeThreshold: graph.order > 300 ? 7 : 4, zIndex: true,
      minCameraRatio: 0.02, maxCameraRatio: 4, renderEdgeLabels: true, edgeLabelSize: 10, edgeLabelColor: { color: look.soft }, hideEdgesOnMove: graph.size > 3000,
      nodeReducer: nodeLook, edgeReducer: edgeLook, defaultDrawNodeHover: hover, doubleClickZoomingRatio: 1.6, minEdgeThickness: 1.3,
    });
    renderer.on("beforeProcess", () => { picture.theme.now = picture.theme(); centres.now = centres(); });
    const over = (id) => { if (pointed !== id) { pointed = id; redraw(); } place("canvas").style.cursor = id ? "pointer" : ""; };
    renderer.on("enterNode", ({ node }) => over(node));
    renderer.on("leaveNode", () => over(null));
    renderer.on("enterEdge", () => { place("canvas").style.cursor = "pointer"; });
    renderer.on("leaveEdge", () => { place("canvas").style.cursor = ""; });
    renderer.on("clickNode", ({ node }) => choose({ node }));
    renderer.on("doubleClickNode", ({ node, preventSigmaDefault }) => { preventSigmaDefault(); expand(node); });
    renderer.on("clickEdge", ({ edge }) => choose({ fact: edge }));
    renderer.on("clickStage", () => { way = null; choose(null); });
    drag();
    picture.dark.addEventListener("change", () => {
      const now = picture.theme();
      renderer.setSetting("labelColor", { color: now.ink }); renderer.setSetting("edgeLabelColor", { color: now.soft });
      rebuild(); show();
    });
    window.kgGraph = renderer; // for whoever wants to do more with it
  }
  // The name of the node that is pointed at, on a panel in the colours of the page.
  function hover(pen, data, settings) {
    const { ink, line } = picture.theme.now;
    if (!data.label) return;
    pen.font = `600 ${settings.labelSize}px ${settings.labelFont}`;
    const wide = pen.measureText(data.label).width + 10;
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--panel");
    pen.strokeStyle = line;
    pen.beginPath(); pen.roundRect(data.x + data.size, data.y - 11, wide, 22, 5); pen.fill(); pen.stroke();
    pen.strokeStyle = ink; pen.lineWidth = 2;
    pen.beginPath(); pen.arc(data.x, data.y, data.size + 1, 0, 7); pen.stroke();
    pen.lineWidth = 1; pen.fillStyle = ink;
    pen.fillText(data.label, data.x + data.size + 5, data.y + settings.labelSize / 3);
  }
  function drag() {
    let held = null;
    renderer.on("downNode", ({ node }) => { held = node; if (!renderer.getCustomBBox()) renderer.setCustomBBox(renderer.getBBox()); });
    renderer.on("moveBody", ({ event }) => {
      if (held === null) return;
      const at = renderer.viewportToGraph(event);
      graph.mergeNodeAttributes(held, { x: at.x, y: at.y });
      event.preventSigmaDefault(); event.original.preventDefault(); event.original.stopPropagation();
    });
    const drop = () => { held = null; };
    renderer.on("upNode", drop); renderer.on("upStage", drop);
  }
  const shownTypes = () => [...new Set([...seenNodes].map((id) => nodes.get(id).type))].sort().map((type) => [type, colour(type)]);

  // -- the page
  function wire() {
    document.querySelectorAll(".find, .tools, #filters").forEach((each) => { each.hidden = false; });
    place("find").addEventListener("input", search);
    place("find").addEventListener("keydown", (event) => {
      if (event.key === "Escape") { asked++; place("found").replaceChildren(); }
      if (event.key === "Enter") place("found").querySelector("button")?.click();
      if (event.key === "ArrowDown") { event.preventDefault(); place("found").querySelector("button")?.focus(); }
    });
    place("found").addEventListener("keydown", (event) => {
      const all = [...place("found").querySelectorAll("button")], at = all.indexOf(document.activeElement), move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (move) { event.preventDefault(); (all[at + move] ?? place("find")).focus(); }
      if (event.key === "Escape") { place("found").replaceChildren(); place("find").focus(); }
    });
    for (const id of ["from", "to", "undated", "confidence"]) place(id).addEventListener("input", slide);
    place("way").addEventListener("submit", (event) => { event.preventDefault(); findWay(named(place("way-from").value), named(place("way-to").value)); });
    place("reset").addEventListener("click", () => { way = null; choose(null); renderer?.setCustomBBox(null); renderer?.getCamera().animatedReset(); });
    place("share").addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(location.href); tell("The link is copied: it opens the same view."); } catch { tell("The address bar has the link: it opens the same view."); }
    });
    place("png").addEventListener("click", () => renderer && picture.png(renderer, shownTypes()));
    place("svg").addEventListener("click", () => renderer && picture.svg(renderer, shownTypes()));
    place("controls").addEventListener("toggle", () => renderer?.resize());
    addEventListener("resize", () => renderer?.resize());
    if (matchMedia("(max-width: 60rem)").matches) place("controls").open = false;
  }
  async function begin() {
    let first = JSON.parse(block.textContent);
    if (site) {
      const given = new URLSearchParams(location.search);
      for (const [id, usual] of [["about", ""], ["hops", "1"], ["nodes", "300"]]) place(id).value = given.get(id) ?? usual;
      try { first = await site.first(first, new URLSearchParams(location.search)); } catch (error) { tell(error.message); first = { nodes: [], facts: [], colours: {}, left_out: 0 }; }
    }
    leftOut = first.left_out;
    wire();
    add(first);
    filters();
    sieve();
    list();
    const drawable = document.createElement("canvas").getContext("webgl2");
    if (nodes.size && drawable) {
      place("canvas").hidden = false;
      draw();
      const settled = () => { restore().then(ready, (error) => { tell(error.message); ready(); }); };
      picture.arrange(graph, graph.order > 2000 ? 100 : 400, settled);
    } else {
      if (nodes.size) tell("This browser has no WebGL to draw the picture with; the list has the same facts.");
      await restore();
      ready();
    }
  }
  begin();
})();
