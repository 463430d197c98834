"""Objetivos, bucle, optimizadores, puntos de control y entrenamiento en varios procesos."""
