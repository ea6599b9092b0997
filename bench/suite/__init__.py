"""The suite language: YAML to a checked suite."""
