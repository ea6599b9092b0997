"""The nouns, the seeds, plug-ins by name, errors and files: what every layer builds on."""
