"""Update: what users write over HTTP, as exact differences of quads: SPARQL Update, the graph store, the shapes' guard."""
