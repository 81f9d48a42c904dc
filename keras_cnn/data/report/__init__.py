"""A page about a data set: what is in it, what is wrong with it, and what a net sees of it."""
