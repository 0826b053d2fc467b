"""The order of a layer graph, its cycles and its dead ends. No other module imports networkx.

networkx is imported only when a graph has to be sorted or searched for a cycle. Most networks are written in execution
order and never need it; importing it takes longer than checking them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from planner.network.node import Node

if TYPE_CHECKING:
    import networkx as nx


def execution_order(nodes: Sequence[Node]) -> list[Node]:
    """Return nodes in topological order, otherwise in the given order.

    Raises
    ------
    networkx.NetworkXUnfeasible
        There is a cycle.
    """
    if _in_order(nodes):
        return list(nodes)
    import networkx as nx

    by_name = {node.name: node for node in nodes}
    position = {node.name: index for index, node in enumerate(nodes)}
    return [by_name[name] for name in nx.lexicographical_topological_sort(_graph(nodes), key=position.__getitem__)]


def cycles(nodes: Sequence[Node]) -> list[list[str]]:
    """Return one cycle of names for every set of nodes that read each other."""
    if _in_order(nodes):
        return []
    import networkx as nx

    graph = _graph(nodes)
    position = {node.name: index for index, node in enumerate(nodes)}
    found_cycles: list[list[str]] = []
    while True:
        try:
            found = [edge[0] for edge in nx.find_cycle(graph)]
        except nx.NetworkXNoCycle:
            return found_cycles
        start = min(range(len(found)), key=lambda i: position[found[i]])
        found_cycles.append(found[start:] + found[:start])
        graph.remove_nodes_from(found)


def unread(nodes: Sequence[Node], outputs: Iterable[str]) -> list[Node]:
    """Return the nodes that no node reads and that are not outputs: the dead ends."""
    read = {source for node in nodes for source in node.inputs} | set(outputs)
    return [node for node in nodes if node.name not in read]


def _in_order(nodes: Iterable[Node]) -> bool:
    """Return whether each node reads only nodes before it; then there is no cycle."""
    before: set[str] = set()
    for node in nodes:
        if not before.issuperset(node.inputs):
            return False
        before.add(node.name)
    return True


def _graph(nodes: Sequence[Node]) -> nx.DiGraph[str]:
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(node.name for node in nodes)
    graph.add_edges_from((source, node.name) for node in nodes for source in node.inputs)
    return graph
