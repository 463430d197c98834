"""Entrenar: objetivos, bucle y puntos de control."""
