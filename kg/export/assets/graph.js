"use strict";
// Draws the graph of the page's data block. Everything that comes from documents is set as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const place = (id) => document.getElementById(id);
  const nodes = new Map(data.nodes.map((node) => [node.id, node]));
  const facts = new Map(data.nodes.map((node) => [node.id, []]));
  for (const fact of data.facts) {
    facts.get(fact.subject).push(fact);
    if (nodes.has(fact.object) && fact.object !== fact.subject) facts.get(fact.object).push(fact);
  }
  const links = data.facts.filter((fact) => nodes.has(fact.object));
  const colours = (type) => data.colours[type];
  const hidden = new Set();
  let chosen = null, pointed = null, renderer = null;

  // -- elements of the page
  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made[key] = value;
    return made;
  };
  const dot = (type) => {
    const made = element("span", undefined, { className: "dot", ariaHidden: "true" });
    made.style.background = made.style.borderColor = colours(type)[1];
    return made;
  };
  const period = (fact) => (fact.start || fact.end ? ` (${fact.start || ""} – ${fact.end || ""})` : "");
  const cut = (text, most) => (text.length > most ? Array.from(text).slice(0, most).join("") + "…" : text);

  function item(fact, centre) {
    const made = element("li");
    const outward = fact.subject === centre;
    const other = outward ? fact.object : fact.subject;
    if (nodes.has(other)) {
      made.append(outward ? "" : "← ", element("button", cut(nodes.get(other).label, 200), { type: "button", dir: "auto", onclick: () => choose(other, true) }));
    } else {
      made.append(element("span", cut(fact.object, 600), { dir: "auto" }));
    }
    made.append(period(fact));
    if (fact.sentence) made.append(element("blockquote", fact.sentence, { dir: "auto" }));
    const sources = `${fact.documents.join(", ")} · confidence ${fact.confidence}`;
    made.append(element("div", sources, { className: "soft" }));
    return made;
  }

  function show() {
    const panel = place("facts");
    panel.replaceChildren();
    if (chosen === null) {
      panel.append(element("p", "Choose an entity in the graph, or search for one, to read its facts and the sentences behind them.", { className: "soft" }));
      return;
    }
    const node = nodes.get(chosen);
    panel.append(element("h2", node.label, { dir: "auto", tabIndex: -1 }));
    const kind = element("div", undefined, { className: "soft" });
    kind.append(dot(node.type), ` ${node.types.join(", ")}`);
    panel.append(kind);
    if (node.aliases.length) panel.append(element("div", `also: ${cut(node.aliases.join(", "), 400)}`, { className: "soft", dir: "auto" }));
    if (node.wikidata) panel.append(element("a", node.wikidata, { href: `https://www.wikidata.org/wiki/${encodeURIComponent(node.wikidata)}`, rel: "noreferrer" }));
    const groups = new Map();
    for (const fact of facts.get(chosen)) {
      const title = fact.label;
      if (!groups.has(title)) groups.set(title, []);
      groups.get(title).push(fact);
    }
    for (const [title, members] of [...groups].sort((one, other) => (one[0] < other[0] ? -1 : 1))) {
      const list = element("ul");
      list.append(...members.map((fact) => item(fact, chosen)));
      panel.append(element("h3", title), list);
    }
    if (!groups.size) panel.append(element("p", "No facts here.", { className: "soft" }));
    panel.append(element("p", `in ${node.documents.join(", ")}`, { className: "soft" }));
    panel.parentElement.scrollTop = 0;
  }

  function choose(id, move) {
    chosen = id;
    if (id !== null && hidden.delete(nodes.get(id).type)) legend();
    place("all").hidden = id === null;
    show();
    if (!renderer) return;
    renderer.refresh({ skipIndexation: true });
    if (move && id !== null) {
      const at = renderer.getNodeDisplayData(id);
      renderer.getCamera().animate({ x: at.x, y: at.y, ratio: Math.min(renderer.getCamera().ratio, 0.3) }, { duration: 300 });
    }
  }

  // -- legend, which is the filter by type
  function legend() {
    const box = place("legend");
    box.replaceChildren(element("legend", "Types shown"));
    for (const [type, count] of data.types) {
      const label = element("label");
      const tick = element("input", undefined, { type: "checkbox", checked: !hidden.has(type) });
      tick.addEventListener("change", () => {
        if (tick.checked) hidden.delete(type); else hidden.add(type);
        if (renderer) renderer.refresh({ skipIndexation: true });
      });
      label.append(tick, dot(type), `${type} ${count}`);
      box.append(label);
    }
  }

  // -- search
  const names = data.nodes.map((node) => [[node.label, ...node.aliases].join("\n").toLocaleLowerCase(), node]);
  function search() {
    const wanted = place("search").value.trim().toLocaleLowerCase();
    const list = place("found");
    list.replaceChildren();
    if (!wanted) return;
    const rank = ([name, node]) => (name.startsWith(wanted) ? 0 : 1e6) - facts.get(node.id).length;
    const found = names.filter(([name]) => name.includes(wanted)).sort((one, other) => rank(one) - rank(other)).slice(0, 20);
    for (const [, node] of found) {
      const button = element("button", undefined, { type: "button", onclick: () => { list.replaceChildren(); choose(node.id, true); } });
      button.append(dot(node.type), " ", element("span", cut(node.label, 80), { dir: "auto" }));
      const row = element("li");
      row.append(button);
      list.append(row);
    }
    if (!found.length) list.append(element("li", "Nothing is called that.", { className: "soft" }));
  }
  place("search").addEventListener("input", search);
  place("search").addEventListener("keydown", (event) => {
    if (event.key === "Escape") place("found").replaceChildren();
    if (event.key === "Enter") place("found").querySelector("button")?.click();
  });

  // -- the graph
  function build() {
    const graph = new graphology.MultiDirectedGraph();
    const order = [...data.nodes].sort((one, other) => facts.get(other.id).length - facts.get(one.id).length || (one.id < other.id ? -1 : 1));
    order.forEach((node, number) => {
      const turn = number * 2.399963229728653, away = Math.sqrt(number + 0.5) * 10;
      const [x, y] = node.place ?? [away * Math.cos(turn), away * Math.sin(turn)];
      graph.addNode(node.id, { x, y, label: cut(node.label, 48), color: colours(node.type)[1],
        size: 3.5 + 1.3 * Math.sqrt(facts.get(node.id).length) });
    });
    for (const fact of links) graph.addDirectedEdgeWithKey(fact.id, fact.subject, fact.object, { label: fact.label, size: 1.2, color: "#b9bec4" });
    return graph;
  }

  function isNear(graph, node, centre) {
    return node === centre || graph.areNeighbors(node, centre);
  }

  function draw(graph) {
    renderer = new Sigma(graph, place("graph"), {
      allowInvalidContainer: true, stagePadding: place("graph").clientWidth > 700 ? 80 : 30, defaultEdgeType: "arrow", labelFont: "system-ui, sans-serif", labelSize: 13, labelColor: { color: "#1d2126" },
      labelDensity: 0.6, labelGridCellSize: 90, labelRenderedSizeThreshold: graph.order > 300 ? 7 : 3, zIndex: true, minCameraRatio: 0.02, maxCameraRatio: 4,
      renderEdgeLabels: graph.size <= 400, edgeLabelSize: 10, edgeLabelColor: { color: "#5a626b" }, hideEdgesOnMove: graph.size > 3000,
      nodeReducer: (id, given) => {
        if (hidden.has(nodes.get(id).type)) return { ...given, hidden: true };
        const centre = pointed ?? chosen;
        if (centre === null) return given;
        if (id === centre) return { ...given, highlighted: true, zIndex: 2 };
        return isNear(graph, id, centre) ? { ...given, forceLabel: true, zIndex: 1 } : { ...given, color: "#e4e2dc", label: "" };
      },
      edgeReducer: (id, given) => {
        const centre = pointed ?? chosen;
        if (centre === null) return given;
        return graph.hasExtremity(id, centre) ? { ...given, color: "#5a626b", size: 2, forceLabel: true } : { ...given, hidden: true };
      },
    });
    renderer.on("enterNode", ({ node }) => { pointed = node; renderer.refresh({ skipIndexation: true }); });
    renderer.on("leaveNode", () => { pointed = null; renderer.refresh({ skipIndexation: true }); });
    renderer.on("clickNode", ({ node }) => choose(node, false));
    renderer.on("clickStage", () => choose(null, false));
    drag(graph);
    window.kgGraph = renderer; // for whoever wants to do more with it
  }

  function drag(graph) {
    let held = null;
    renderer.on("downNode", ({ node }) => { held = node; if (!renderer.getCustomBBox()) renderer.setCustomBBox(renderer.getBBox()); });
    renderer.on("moveBody", ({ event }) => {
      if (held === null) return;
      const at = renderer.viewportToGraph(event);
      graph.mergeNodeAttributes(held, { x: at.x, y: at.y });
      event.preventSigmaDefault(); event.original.preventDefault(); event.original.stopPropagation();
    });
    const drop = () => { held = null; };
    renderer.on("upNode", drop);
    renderer.on("upStage", drop);
  }

  // Small graphs come with places. For others: a fixed number of steps, a few in each frame: the same picture every time, and the page stays awake.
  function arrange(graph) {
    const layout = graphologyLibrary.layoutForceAtlas2;
    const settings = { ...layout.inferSettings(graph), barnesHutOptimize: graph.order > 800, adjustSizes: false, strongGravityMode: true, gravity: 0.02, scalingRatio: 12, slowDown: 3 };
    const steps = data.nodes[0].place ? 0 : graph.order > 2000 ? 100 : 400;
    let done = 0;
    const step = () => {
      if (done >= steps) { document.body.dataset.state = "ready"; return; }
      const batch = graph.order > 2000 ? 10 : graph.order > 500 ? 8 : 20;
      layout.assign(graph, { iterations: batch, settings });
      done += batch;
      document.body.dataset.steps = String(done);
      requestAnimationFrame(step);
    };
    step();
  }

  legend();
  show();
  place("all").addEventListener("click", () => { choose(null, false); if (renderer) renderer.getCamera().animatedReset(); });
  const canvas = document.createElement("canvas");
  if (data.nodes.length && canvas.getContext("webgl2")) {
    const graph = build();
    draw(graph);
    arrange(graph);
    window.addEventListener("resize", () => renderer.resize());
  } else {
    place("graph").append(element("p", data.nodes.length ? "This browser has no WebGL to draw the graph with. Search for an entity to read its facts." : "There is nothing in this part of the graph.", { className: "soft" }));
    document.body.dataset.state = "ready";
  }
})();
