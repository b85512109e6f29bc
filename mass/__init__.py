"""Mass events: very many certificates or records at once, previewed, confirmed, and done step by step."""
