"""Where the derived graph lies: in the store's own folder, or on a SPARQL server.

A folder's graph is a pyoxigraph `Store` as it is. A server's is a RemoteGraph, which offers those methods of it that are used here.
"""
