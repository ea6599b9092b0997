"""The paper kit: chosen tables in the forms that papers take."""
