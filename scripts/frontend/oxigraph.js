// Oxigraph for the query page of a static site, as one global.
export * from "oxigraph/web.js";
export { default as start } from "oxigraph/web.js";
