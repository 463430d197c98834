"""Medir con honestidad: métricas e intervalos de confianza."""
