"""Models of Hugging Face's transformers: from the Hub, from a folder, or trained here."""
