"""PURE. What can be wrong with a collector configuration, one module for each family of rules.

Ids: P parsing and ids, X references, M merging, G the whole, N the graph, C settings of components, S what is only
seen at start, L what people advise.
"""
