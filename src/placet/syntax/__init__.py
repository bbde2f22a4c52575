"""From text to the syntax tree: grammar tables, parser, error messages, printer."""
