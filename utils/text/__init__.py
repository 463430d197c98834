"""Tokenizadores, normalización, plantillas y los textos que el curso genera."""
