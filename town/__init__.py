"""A made-up town that lives for years, by a clock of its own, on a real authority."""
