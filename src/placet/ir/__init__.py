"""The resolved, language-neutral form of workflows, sagas and choreographies: the hub for the language and the importers."""
