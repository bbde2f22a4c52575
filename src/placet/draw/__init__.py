"""Pictures: `drawing` is what is drawn, `from_net` and `from_lts` make it, `dot`, `mermaid` and `svg` write it."""
