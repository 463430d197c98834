"""Entrenar: objetivos, bucle, optimizadores y puntos de control."""
