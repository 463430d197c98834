"""La calidad: métricas, benchmarks, jueces e intervalos de confianza."""
