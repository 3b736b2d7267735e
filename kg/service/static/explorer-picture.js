"use strict";
// The picture of the explorer: colours, places, and files of what is seen. Everything that comes from documents is text, never markup.
window.kgPicture = (() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const theme = () => ({ page: tone("--page"), ink: tone("--ink"), soft: tone("--soft"), line: dark.matches ? "#525b64" : "#b4b9be", pale: dark.matches ? "#2b3136" : "#e4e2dc", accent: tone("--accent") });

  // Where nodes begin: the best connected in the middle of a spiral, or around those they are linked to.
  function place(graph, ids, degree) {
    const order = [...ids].sort((one, other) => degree(other) - degree(one) || (one < other ? -1 : 1));
    order.forEach((id, number) => {
      const turn = number * 2.399963229728653;
      const near = graph.neighbors(id).filter((other) => !ids.has(other));
      if (near.length) {
        const { x, y } = graph.getNodeAttributes(near[0]);
        const away = 14 + 3 * Math.sqrt(number);
        graph.mergeNodeAttributes(id, { x: x + away * Math.cos(turn), y: y + away * Math.sin(turn) });
      } else {
        const away = Math.sqrt(number + 0.5) * 10;
        graph.mergeNodeAttributes(id, { x: away * Math.cos(turn), y: away * Math.sin(turn) });
      }
    });
  }

  // ForceAtlas2, a fixed number of steps, a few in each frame: the same picture every time, and the page stays awake.
  let running = 0;
  function arrange(graph, steps, done) {
    const mine = ++running;
    if (!graph.order) { done(); return; }
    const layout = graphologyLibrary.layoutForceAtlas2;
    const settings = { ...layout.inferSettings(graph), barnesHutOptimize: graph.order > 800, strongGravityMode: true, gravity: 0.25, scalingRatio: 25, slowDown: 2 };
    let made = 0;
    const step = () => {
      if (mine !== running) return;
      if (made >= steps) { apart(graph); done(); return; }
      const batch = graph.order > 2000 ? 5 : graph.order > 500 ? 8 : 20;
      layout.assign(graph, { iterations: batch, settings });
      made += batch;
      requestAnimationFrame(step);
    };
    step();
  }
  function apart(graph) {
    if (graph.order > 1 && graph.order <= 1000) graphologyLibrary.layoutNoverlap.assign(graph, { maxIterations: 120, settings: { margin: 5, ratio: 1.4, expansion: 1.1 } });
  }

  // -- files
  function legend(types) {
    return types.map(([type, colour]) => ({ type, colour }));
  }

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function png(renderer, types) {
    const { width, height } = renderer.getDimensions();
    const scale = window.devicePixelRatio || 1;
    const sheet = document.createElement("canvas");
    sheet.width = width * scale;
    sheet.height = height * scale;
    const pen = sheet.getContext("2d");
    pen.fillStyle = theme().page;
    pen.fillRect(0, 0, sheet.width, sheet.height);
    renderer.refresh(); // WebGL keeps its pixels until the end of this task only
    for (const canvas of Object.values(renderer.getCanvases())) if (canvas.width && canvas.height) pen.drawImage(canvas, 0, 0, sheet.width, sheet.height);
    pen.scale(scale, scale);
    pen.font = "13px system-ui, sans-serif";
    pen.textBaseline = "middle";
    legend(types).forEach(({ type, colour }, number) => {
      const y = height - 18 * (types.length - number);
      pen.fillStyle = colour;
      pen.beginPath(); pen.arc(18, y, 6, 0, 7); pen.fill();
      pen.fillStyle = theme().ink;
      pen.fillText(type, 32, y);
    });
    sheet.toBlob((blob) => save(blob, "graph.png"));
  }

  const escaped = (text) => String(text).replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd").replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  function svg(renderer, types) {
    const graph = renderer.getGraph(), { width, height } = renderer.getDimensions(), { page, ink, soft } = theme();
    const at = (id) => renderer.framedGraphToViewport(renderer.getNodeDisplayData(id));
    const n = (number) => Math.round(number * 10) / 10;
    const parts = [`<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}" font-family="system-ui, sans-serif" font-size="13">`,
      `<rect width="100%" height="100%" fill="${escaped(page)}"/>`,
      `<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="${escaped(soft)}"/></marker></defs>`];
    const scaled = (id) => renderer.scaleSize(renderer.getNodeDisplayData(id).size);
    graph.forEachEdge((id, _, from, to) => {
      const shown = renderer.getEdgeDisplayData(id);
      if (shown.hidden || from === to || renderer.getNodeDisplayData(from).hidden || renderer.getNodeDisplayData(to).hidden) return;
      const a = at(from), b = at(to), far = Math.hypot(b.x - a.x, b.y - a.y) || 1, r = scaled(to) + 1;
      parts.push(`<line x1="${n(a.x)}" y1="${n(a.y)}" x2="${n(b.x - (r * (b.x - a.x)) / far)}" y2="${n(b.y - (r * (b.y - a.y)) / far)}" stroke="${escaped(shown.color)}" stroke-width="${n(shown.size)}" marker-end="url(#arrow)"><title>${escaped(graph.getEdgeAttribute(id, "label"))}</title></line>`);
    });
    graph.forEachNode((id, given) => {
      const shown = renderer.getNodeDisplayData(id);
      if (shown.hidden) return;
      const { x, y } = at(id);
      parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(scaled(id))}" fill="${escaped(shown.color)}"><title>${escaped(given.label)}</title></circle>`);
    });
    for (const id of renderer.getNodeDisplayedLabels()) {
      const { x, y } = at(id);
      parts.push(`<text x="${n(x + scaled(id) + 3)}" y="${n(y + 4)}" fill="${escaped(ink)}" stroke="${escaped(page)}" stroke-width="3" paint-order="stroke">${escaped(renderer.getNodeDisplayData(id).label)}</text>`);
    }
    legend(types).forEach(({ type, colour }, number) => {
      const y = height - 18 * (types.length - number);
      parts.push(`<circle cx="18" cy="${n(y)}" r="6" fill="${escaped(colour)}"/><text x="32" y="${n(y + 4)}" fill="${escaped(ink)}">${escaped(type)}</text>`);
    });
    save(new Blob([...parts, "</svg>"], { type: "image/svg+xml" }), "graph.svg");
  }

  return { dark, theme, place, arrange, png, svg, save };
})();
