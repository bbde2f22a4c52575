"""File formats, one a module; `registry` finds the one of a file. A format is read into `Compiled` and written from it."""
