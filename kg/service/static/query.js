"use strict";
// The query page: an editor in place of the text field, and views of the answer. A static site answers by window.kgSite, without a server.
(() => {
  const { element, triples, table, chart, raw } = window.kgViews, site = window.kgSite;
  const place = (id) => document.getElementById(id);
  const block = place("words"), words = JSON.parse(block.textContent), CM = window.CodeMirror;
  const field = place("query");
  const link = (iri) => (site ? site.link(iri) : iri.startsWith(words.base) ? block.dataset.root + iri.slice(words.base.length) : /^https?:/.test(iri) ? iri : "");

  // -- completion
  const KEYWORDS = "SELECT CONSTRUCT ASK DESCRIBE WHERE FILTER OPTIONAL UNION MINUS GRAPH BIND VALUES DISTINCT REDUCED AS FROM NAMED PREFIX BASE EXISTS NOT IN UNDEF HAVING LIMIT OFFSET ASC DESC COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT SEPARATOR STR LANG DATATYPE BOUND COALESCE IF REGEX CONTAINS STRSTARTS STRENDS LCASE UCASE CONCAT REPLACE STRLEN SUBSTR YEAR MONTH DAY NOW IRI STRDT STRLANG ABS ROUND".split(" ");
  const PHRASES = ["GROUP BY", "ORDER BY", "FILTER NOT EXISTS", "FILTER EXISTS"];
  const term = (type) => ([label, detail, info]) => ({ label, detail, info, type, boost: 2 });
  const fixed = [
    ...words.classes.map(term("class")), ...words.properties.map(term("property")),
    ...["rdf:type", "rdfs:label", "rdf:subject", "rdf:predicate", "rdf:object", "owl:sameAs", "skos:altLabel"].map((label) => ({ label, type: "property" })),
    ...Object.entries(words.prefixes).map(([name, iri]) => ({ label: `${name}:`, detail: iri, type: "namespace" })),
    ...[...KEYWORDS, ...PHRASES].map((label) => ({ label, type: "keyword", boost: -1 })),
  ];
  async function complete(context) {
    const variable = context.matchBefore(/[?$]\w*/);
    if (variable) {
      const known = new Set(context.state.doc.toString().match(/[?$]\w+/g));
      known.delete(variable.text);
      return { from: variable.from, options: [...known].map((label) => ({ label, type: "variable" })), validFor: /^[?$]\w*$/ };
    }
    const iri = context.matchBefore(/<[^<>\s]*/);
    const word = iri ?? context.matchBefore(/[\p{L}][\p{L}\p{N}_:.-]*/u);
    if (!word) return context.explicit ? { from: context.pos, options: fixed } : null;
    const typed = iri ? word.text.slice(1) : word.text;
    const options = iri ? [] : [...fixed];
    if (typed.length > 1 && !typed.includes(":")) {
      try {
        const [, labels, types, iris] = await (site ? site.suggest(typed) : (await fetch(`${block.dataset.suggest}?q=${encodeURIComponent(typed)}`)).json());
        iris.forEach((each, number) => options.push({ label: labels[number], detail: types[number], type: "constant", boost: 1, apply: `<${each.startsWith(words.base) ? each.slice(words.base.length) : each}>` }));
      } catch { /* the vocabulary is enough */ }
    }
    return context.aborted ? null : { from: word.from, options, filter: !iri };
  }

  // -- the editor, in a shadow tree: there its styles are a sheet made by script, which the page's policy allows
  const look = CM.EditorView.theme({
    "&": { color: "var(--ink)", backgroundColor: "transparent", fontSize: "0.9rem" },
    "&.cm-focused": { outline: "none" },
    ".cm-content": { caretColor: "var(--ink)", padding: "0.6rem 0", fontFamily: 'ui-monospace, "SF Mono", "Noto Sans Mono", Menlo, monospace' },
    ".cm-scroller": { maxHeight: "28rem", minHeight: "11rem", lineHeight: "1.5", overflow: "auto" },
    ".cm-gutters": { backgroundColor: "transparent", color: "var(--soft)", border: "0" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 9%, transparent)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent)" },
    "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--mark)" },
    ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "6px", maxWidth: "90vw" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--page)" },
    ".cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail": { color: "var(--page)" },
    ".cm-completionDetail": { color: "var(--soft)", fontStyle: "normal" },
    ".cm-completionInfo": { padding: "0.4rem 0.6rem", fontFamily: "system-ui, sans-serif" },
    ".cm-lint-marker-error": { content: "normal", backgroundColor: "var(--warn)", borderRadius: "50%", width: "0.7em", height: "0.7em", marginTop: "0.4em" },
    ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--warn)", textUnderlineOffset: "0.2em" },
    ".cm-lintPoint": { backgroundImage: "none" },
    ".cm-diagnostic": { padding: "0.4rem 0.6rem", fontFamily: "system-ui, sans-serif", whiteSpace: "pre-wrap" },
  });
  const t = CM.tags;
  const colours = CM.syntaxHighlighting(CM.HighlightStyle.define([
    { tag: [t.keyword, t.operatorKeyword, t.controlKeyword, t.definitionKeyword], color: "var(--accent)", fontWeight: "600" },
    { tag: [t.variableName, t.special(t.variableName)], color: "var(--link)" },
    { tag: [t.string, t.number, t.bool, t.literal], color: "var(--warn)" },
    { tag: t.comment, color: "var(--soft)", fontStyle: "italic" },
    { tag: [t.namespace, t.typeName, t.propertyName, t.url, t.atom], color: "var(--ink)" },
  ]));
  const host = place("editor"), root = host.attachShadow({ mode: "open" });
  // Typing over a selection is done here: left to itself, Chromium keeps the former text's look by a style attribute, which the policy refuses.
  const typing = CM.EditorView.domEventHandlers({ beforeinput(event, editor) {
    if (event.inputType !== "insertText" || !event.data || /[\[\](){}<>"']/.test(event.data) || editor.composing || editor.state.selection.main.empty) return false;
    event.preventDefault();
    editor.dispatch({ ...editor.state.replaceSelection(event.data), userEvent: "input.type", scrollIntoView: true });
    return true;
  } });
  const view = new CM.EditorView({
    root, parent: root,
    state: CM.EditorState.create({
      doc: field.value,
      extensions: [
        CM.lineNumbers(), CM.highlightSpecialChars(), CM.history(), CM.drawSelection(), CM.indentOnInput(), CM.bracketMatching(), CM.closeBrackets(), CM.highlightActiveLine(), CM.highlightActiveLineGutter(),
        CM.lintGutter(), CM.sparql(), typing, colours, look, CM.EditorView.lineWrapping, CM.autocompletion({ override: [complete], maxRenderedOptions: 60 }),
        CM.keymap.of([{ key: "Mod-Enter", run: () => { run(); return true; } }, { key: "Mod-/", run: CM.toggleComment }, ...CM.closeBracketsKeymap, ...CM.completionKeymap, ...CM.historyKeymap, ...CM.defaultKeymap]),
        CM.EditorView.contentAttributes.of({ "aria-label": "Query", spellcheck: "false" }),
        CM.EditorView.updateListener.of((update) => { if (update.docChanged) field.value = update.state.doc.toString(); }),
      ],
    }),
  });
  const text = () => view.state.doc.toString();
  const write = (query) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: query } });

  // -- errors, marked where they are
  function mark(message, hint) {
    const at = /line (\d+), column (\d+)/.exec(message);
    const fault = place("fault");
    fault.replaceChildren(message, ...(hint ? [" ", element("span", hint, { className: "small" })] : []));
    fault.hidden = false;
    if (!at) return;
    const line = view.state.doc.line(Math.min(Number(at[1]), view.state.doc.lines)), column = Math.min(Math.max(Number(at[2]) - 1, 0), line.length);
    const from = column === line.length && column > 0 ? line.from + column - 1 : line.from + column;
    view.dispatch(CM.setDiagnostics(view.state, [{ from, to: Math.max(line.to, from), severity: "error", message }]), { effects: CM.EditorView.scrollIntoView(from, { y: "center" }) });
  }
  function clear() {
    place("fault").hidden = true;
    place("answer").hidden = true;
    place("served").replaceChildren();
    view.dispatch(CM.setDiagnostics(view.state, []));
  }

  // -- asking
  const LONGEST = 6000;
  async function ask(query) {
    if (site) return site.ask(query);
    const fields = new URLSearchParams([["query", query], ...words.given]);
    const headers = { Accept: "application/sparql-results+json, application/n-triples;q=0.9, application/json;q=0.1" };
    const response = await (String(fields).length < LONGEST ? fetch(`${block.dataset.sparql}?${fields}`, { headers }) : fetch(block.dataset.sparql, { method: "POST", body: fields, headers }));
    const body = await response.text();
    if (!response.ok) {
      let error = { message: `${response.status} ${response.statusText}`, hint: "" };
      try { error = JSON.parse(body).error; } catch { /* the status has to do */ }
      throw error;
    }
    return { graph: !response.headers.get("Content-Type").includes("json"), text: body };
  }
  let asked = 0;
  async function run() {
    const query = text(), mine = ++asked;
    clear();
    place("run").textContent = "Running …";
    try {
      const { graph, text: body } = await ask(query);
      if (mine !== asked) return;
      address(query);
      show(query, graph, body);
    } catch (error) {
      if (mine === asked) mark(error.message ?? String(error), error.hint);
    } finally {
      if (mine === asked) place("run").textContent = "Run";
      document.body.dataset.state = "ready";
    }
  }
  function address(query) {
    const given = new URLSearchParams([["query", query], ...words.given]);
    history.replaceState(null, "", site ? `#${given}` : `${location.pathname}?${given}`);
  }

  // -- the answer
  function show(query, graph, body) {
    const found = graph ? triples(body) : JSON.parse(body), yes = found.boolean, rows = yes === undefined ? found.results.bindings.length : 1;
    const word = graph ? "triple" : "row";
    place("count").textContent = yes === undefined ? `${rows.toLocaleString("en")} ${word}${rows === 1 ? "" : "s"}` : yes ? "Yes" : "No";
    const views = yes !== undefined ? [] : [["Table", () => table(found, words, link)], ...(rows ? [["Chart", () => chart(found, words)]] : [])];
    views.push(["Raw", () => raw(graph ? body : JSON.stringify(found, null, 2))]);
    const tabs = document.querySelector(".tabs"), address = `${block.dataset.graph}?${new URLSearchParams({ query })}`;
    const choose = (number) => {
      [...tabs.querySelectorAll("button")].forEach((each, other) => { each.setAttribute("aria-selected", String(other === number)); each.tabIndex = other === number ? 0 : -1; });
      place("view").replaceChildren(views[number][1]());
    };
    tabs.replaceChildren(...views.map(([name], number) => {
      const made = element("button", name, { type: "button", onclick: () => choose(number) });
      made.setAttribute("role", "tab");
      made.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) { const next = (number + step + views.length) % views.length; choose(next); tabs.querySelectorAll("button")[next].focus(); }
      });
      return made;
    }));
    const formats = place("formats"), kinds = graph ? ["turtle", "ntriples", "jsonld", "rdfxml"] : ["csv", "tsv", "json", "xml"];
    formats.replaceChildren();
    if (graph) formats.append(element("a", "Draw it as a graph", { href: address, className: "draw" }), " ");
    if (!site) {
      formats.append("As data: ");
      for (const format of kinds) formats.append(element("a", format, { href: `${block.dataset.sparql}?${new URLSearchParams([["query", query], ...words.given, ["format", format]])}` }), " ");
    }
    place("answer").hidden = false;
    choose(0);
  }

  // -- the page
  field.hidden = true;
  place("query-label").hidden = true;
  for (const id of ["editor", "choose", "share", "hint"]) place(id).hidden = false;
  place("form").addEventListener("submit", (event) => { event.preventDefault(); run(); });
  place("example").addEventListener("change", () => { const name = place("example").value; if (name) { write(words.examples[name]); clear(); view.focus(); } });
  place("share").addEventListener("click", async () => {
    address(text());
    try { await navigator.clipboard.writeText(location.href); place("share").textContent = "Link copied"; } catch { place("share").textContent = "The address bar has it"; }
    setTimeout(() => { place("share").textContent = "Copy link"; }, 2500);
  });
  document.querySelectorAll("#examples a").forEach((each) => each.addEventListener("click", (event) => {
    const name = new URL(each.href).searchParams.get("example");
    if (!(name in words.examples)) return;
    event.preventDefault();
    write(words.examples[name]); clear(); view.focus(); scrollTo(0, 0);
  }));
  window.kgEditor = view; // for whoever wants to do more with it
  const given = new URLSearchParams(site && location.hash ? location.hash.slice(1) : location.search);
  if (site && words.examples[given.get("example")]) write(words.examples[given.get("example")]);
  if (site && given.get("query")) write(given.get("query"));
  if (!place("fault").hidden) { const shown = place("fault"); mark(shown.firstChild.textContent.trim(), shown.querySelector("span")?.textContent); document.body.dataset.state = "ready"; }
  else if (given.get("query")) run();
  else document.body.dataset.state = "ready";
})();
