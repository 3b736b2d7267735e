"use strict";
// Views of an answer: table, bars, text. Everything is set as text, never as markup.
window.kgViews = (() => {
  const MOST = 1000;
  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made[key] = value;
    return made;
  };

  // N-Triples, which the engine writes one triple a line, as rows of terms of SPARQL's JSON.
  const TERM = /<([^>]*)>|_:(\S+)|"((?:[^"\\]|\\.)*)"(?:@([\w-]+)|\^\^<([^>]*)>)?/gy;
  const ESCAPES = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f" };
  const plain = (text) => text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (_, four, eight, one) => (one ? ESCAPES[one] ?? one : String.fromCodePoint(parseInt(four ?? eight, 16))));
  function triples(text) {
    const rows = [];
    for (const line of text.split("\n")) {
      const row = [];
      TERM.lastIndex = 0;
      for (let at = 0; row.length < 3; at = TERM.lastIndex) {
        while (line[at] === " ") at++;
        TERM.lastIndex = at;
        const found = TERM.exec(line);
        if (!found) break;
        const [, iri, blank, literal, language, datatype] = found;
        row.push(iri !== undefined ? { type: "uri", value: plain(iri) } : blank !== undefined ? { type: "bnode", value: blank } : { type: "literal", value: plain(literal), ...(language && { "xml:lang": language }), ...(datatype && { datatype }) });
      }
      if (row.length === 3) rows.push({ subject: row[0], predicate: row[1], object: row[2] });
    }
    return { head: { vars: ["subject", "predicate", "object"] }, results: { bindings: rows } };
  }

  function cell(term, words, link) {
    const made = element("td", undefined, { dir: "auto" });
    if (!term) return made;
    if (term.type === "triple") { made.textContent = JSON.stringify(term.value); return made; }
    if (term.type !== "uri") { made.textContent = (term.type === "bnode" ? "_:" : "") + term.value; return made; }
    const short = shorten(term.value, words), href = link(term.value);
    made.append(href ? element("a", short, { href, rel: "noreferrer", title: term.value }) : short);
    return made;
  }
  function shorten(iri, words) {
    const resource = `${words.base}resource/`;
    if (iri.startsWith(resource)) { try { return decodeURIComponent(iri.slice(resource.length)); } catch { return iri.slice(resource.length); } }
    const found = Object.entries(words.prefixes).filter(([, space]) => iri.startsWith(space)).sort((a, b) => b[1].length - a[1].length)[0];
    return found ? `${found[0]}:${iri.slice(found[1].length)}` : iri;
  }

  const numeric = (term) => term && term.type === "literal" && term.value.trim() !== "" && isFinite(term.value) && /#(integer|decimal|double|float|int|long|gYear|nonNegativeInteger)$/.test(term.datatype ?? "");
  const value = (term, words) => (!term ? "" : term.type === "uri" ? shorten(term.value, words) : term.value);

  function table(found, words, link) {
    const { vars } = found.head, box = element("div"), sheet = element("table"), top = element("tr"), body = element("tbody");
    let order = { by: null, down: false };
    const fill = () => {
      let rows = found.results.bindings;
      if (order.by) {
        const sign = order.down ? -1 : 1, key = (row) => row[order.by];
        rows = [...rows].sort((a, b) => sign * (numeric(key(a)) && numeric(key(b)) ? key(a).value - key(b).value : value(key(a), words).localeCompare(value(key(b), words))));
      }
      body.replaceChildren(...rows.slice(0, MOST).map((row) => { const made = element("tr"); made.append(...vars.map((name) => cell(row[name], words, link))); return made; }));
    };
    for (const name of vars) {
      const head = element("th", undefined, { scope: "col" });
      head.append(element("button", name, { type: "button", title: "sort", onclick: () => {
        order = { by: name, down: order.by === name && !order.down };
        top.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
        fill();
      } }));
      top.append(head);
    }
    const head = element("thead");
    head.append(top);
    sheet.append(head, body);
    fill();
    box.append(sheet);
    if (found.results.bindings.length > MOST) box.append(element("p", `The first ${MOST.toLocaleString("en")} are shown; the data formats hold all.`, { className: "small" }));
    return box;
  }

  // Bars: a number for each name, or how often each value comes.
  function chart(found, words) {
    const { vars } = found.head, rows = found.results.bindings, box = element("div");
    const figures = vars.filter((name) => rows.some((row) => numeric(row[name]) && !/#gYear$/.test(row[name].datatype)) && rows.every((row) => !row[name] || numeric(row[name])));
    const names = vars.filter((name) => !figures.includes(name));
    const choices = element("div", undefined, { className: "choices" }), bars = element("div", undefined, { className: "bars" });
    const select = (title, options, chosen) => {
      const label = element("label", `${title} `), made = element("select");
      made.append(...options.map(([key, text]) => element("option", text, { value: key, selected: key === chosen })));
      made.addEventListener("change", fill);
      label.append(made);
      choices.append(label);
      return made;
    };
    const usual = names.find((name) => rows.some((row) => row[name]?.type === "literal")) ?? names[0] ?? vars[0];
    const by = select("bars for", vars.map((name) => [name, name]), usual);
    const of = select("length is", [...figures.map((name) => [name, name]), ["", "number of rows"]], figures[0] ?? "");
    function fill() {
      const sums = new Map();
      for (const row of rows) {
        const key = value(row[by.value], words);
        sums.set(key, (sums.get(key) ?? 0) + (of.value ? Number(row[of.value]?.value ?? 0) : 1));
      }
      const best = [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)), most = Math.max(...best.map(([, figure]) => Math.abs(figure)), 1e-9);
      bars.replaceChildren(...best.slice(0, 40).flatMap(([name, figure]) => {
        const bar = element("div", undefined, { className: "bar", ariaHidden: "true" });
        bar.style.width = `${(100 * Math.abs(figure)) / most}%`;
        return [element("div", name || "–", { className: "name", dir: "auto" }), bar, element("div", figure.toLocaleString("en"), { className: "figure" })];
      }));
      rest.textContent = best.length > 40 ? `The 40 longest of ${best.length.toLocaleString("en")}.` : "";
    }
    const rest = element("p", "", { className: "small" });
    fill();
    box.append(choices, bars, rest);
    return box;
  }

  const raw = (text) => {
    const made = element("pre"), most = 200000;
    made.append(element("code", text.length > most ? `${text.slice(0, most)}\n…` : text));
    return made;
  };

  return { element, triples, table, chart, raw };
})();
