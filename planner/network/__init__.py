"""The layer graph: entries as written, and the network of named nodes built from them."""
