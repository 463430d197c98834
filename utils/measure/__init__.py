"""Métricas, intervalos de confianza, memoria, operaciones y leyes de escala."""
