"""Comprimir: formatos numéricos, cuantización, poda y destilación."""
